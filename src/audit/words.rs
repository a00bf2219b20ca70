//! Every action of the audit in words, in one place: the audit page and the timelines read it.

/// The actor of the schedule and its tasks, in words.
pub const AUTOMATIC: &str = "Automatic";

/// The words for an action on a page.
pub fn words(action: &str) -> &'static str {
    TABLE.iter().find(|(known, _)| *known == action).map_or("Something was changed", |(_, words)| *words)
}

/// True for an action whose values say how a referrer is paid: they are for those who may pay.
pub fn tells_of_payout_details(action: &str) -> bool {
    matches!(action, "referrer.details_set" | "referrer.details_removed" | "referrer.details_seen")
}

/// Sorted by action.
const TABLE: [(&str, &str); 131] = [
    ("adjustment.added", "Adjustment made"),
    ("adjustment.approved", "Adjustment approved"),
    ("adjustment.asked", "Adjustment waits for a second person"),
    ("adjustment.refused", "Adjustment refused"),
    ("adjustment.withdrawn", "Adjustment withdrawn"),
    ("business.changed", "Business settings changed"),
    ("business.created", "Business made"),
    ("business.key_rotated", "Key of payout details changed"),
    ("business.recounted", "Counters counted anew"),
    ("campaign.changed", "Campaign settings changed"),
    ("campaign.created", "Campaign made"),
    ("campaign.default", "Default campaign chosen"),
    ("campaign.state", "Campaign moved to another state"),
    ("campaign.text", "Ready text changed"),
    ("code.added", "Code added"),
    ("code.chosen", "Code chosen by hand"),
    ("code.generated", "Code generated"),
    ("code.renamed", "Code renamed"),
    ("code.replaced", "Code replaced"),
    ("code.restored", "Code brought back"),
    ("code.retired", "Code retired"),
    ("codes.generated", "Codes generated for many"),
    ("commission.approved", "Commission approved"),
    ("commission.created", "Commission created"),
    ("commission.refunded", "Commission changed by a refund"),
    ("commission.voided", "Commission voided"),
    ("commissions.approved", "Commissions approved"),
    ("commissions.swept", "Commissions approved at the end of their hold"),
    ("customer.created", "Sign-up received"),
    ("customer_reward.given", "Customer reward given"),
    ("customer_reward.not_given", "Customer reward not given after all"),
    ("customer_reward.voided", "Customer reward voided"),
    ("enrollment.ban_lifted", "Ban lifted"),
    ("enrollment.banned", "Referrer banned"),
    ("enrollment.paused", "Referrer paused"),
    ("enrollment.resumed", "Referrer active again"),
    ("enrollment.state", "Referrer moved to another state"),
    ("import.discarded", "Import discarded"),
    ("import.done", "Import finished"),
    ("import.finished", "Import finished"),
    ("import.started", "Import started"),
    ("import.undone", "Import undone"),
    ("inbox.accepted", "Inbox item accepted"),
    ("inbox.dismissed", "Inbox item dismissed"),
    ("inbox.reopened", "Inbox item opened again"),
    ("invitation.made", "Invitation made"),
    ("invitation.withdrawn", "Invitation withdrawn"),
    ("key.handed_over", "Key handed over"),
    ("key.made", "Key made"),
    ("key.publishable_made", "Publishable key made"),
    ("key.publishable_revoked", "Publishable key revoked"),
    ("key.revoked", "Key revoked"),
    ("key.rotated", "Key rotated"),
    ("key.webhook", "Webhook address made"),
    ("lead.added", "Lead added"),
    ("lead.archived", "Lead archived"),
    ("lead.attributed", "Referrer of a lead changed"),
    ("lead.created", "Lead created"),
    ("lead.edited", "Lead edited"),
    ("lead.merged", "Lead merged"),
    ("lead.noted", "Note written"),
    ("lead.purged", "Test lead deleted"),
    ("lead.qualified", "Lead qualified"),
    ("lead.restored", "Lead brought back"),
    ("lead.status", "Lead status changed"),
    ("lead.tagged", "Tags changed"),
    ("lead.touched", "Referral of a known lead recorded"),
    ("lead.unqualified", "Lead no longer qualified"),
    ("member.joined", "Joined the team"),
    ("member.removed", "Removed from the team"),
    ("member.role", "Role changed"),
    ("payment.dispute_ended", "Dispute of a payment ended"),
    ("payment.disputed", "Payment disputed"),
    ("payment.named", "Payment known by further names"),
    ("payment.recorded", "Payment recorded"),
    ("payment.refund_failed", "Refund failed: the payment stands again"),
    ("payment.refund_parked", "Refund waits for its payment"),
    ("payment.refund_refused", "Refund did not fit its payment"),
    ("payment.refunded", "Payment refunded"),
    ("payments.earned", "Commission given for waiting payments"),
    ("payout.approved", "Payout approved"),
    ("payout.closed", "Payout closed"),
    ("payout.created", "Payout drafted"),
    ("payout.dropped", "Draft of a payout dropped"),
    ("payout.file_made", "File of a payout made"),
    ("payout.left_out", "Referrer left out of a payout"),
    ("payout.line_failed", "Payment to a referrer failed"),
    ("payout.line_returned", "Payment to a referrer came back"),
    ("payout.locked", "Payout locked"),
    ("payout.paid", "Payout paid"),
    ("payout.results_read", "Report about a payout read"),
    ("payout.settings", "Settings of payouts changed"),
    ("payout.taken_in", "Referrer taken into a payout again"),
    ("payout.unlocked", "Lock of a payout undone"),
    ("product.added", "Product added"),
    ("product.renamed", "Product renamed"),
    ("provider.changed", "Payments from a provider are taken otherwise"),
    ("provider.connected", "Payment provider connected"),
    ("provider.daily", "Daily sync of customers switched"),
    ("provider.disconnected", "Payment provider disconnected"),
    ("provider.discount", "Discount of codes at Stripe changed"),
    ("provider.dismissed", "Message about payments set aside"),
    ("provider.imported", "Past payments imported"),
    ("provider.synced", "Customers synced as referrers"),
    ("referrer.added", "Referrer added"),
    ("referrer.archived", "Referrer archived"),
    ("referrer.details_removed", "Payout details removed"),
    ("referrer.details_seen", "Payout details looked at"),
    ("referrer.details_set", "Payout details changed"),
    ("referrer.edited", "Referrer edited"),
    ("referrer.enrolled", "Referrer enrolled"),
    ("referrer.merged", "Referrer merged"),
    ("referrer.noted", "Note written"),
    ("referrer.restored", "Referrer brought back"),
    ("referrer.tagged", "Tags changed"),
    ("referrers.enrolled", "Referrers of another campaign enrolled"),
    ("referrers.told", "Referrers were told their links and codes"),
    ("subscription.cancelled", "Subscription cancelled"),
    ("terms.added", "New terms"),
    ("test_data.purged", "Test data deleted"),
    ("trace.shared", "Link to an answer made"),
    ("trace.unshared", "Link to an answer ended"),
    ("user.left", "Signed out"),
    ("user.password_changed", "Password changed"),
    ("user.password_reset", "Password reset by command"),
    ("user.refused", "Refused: not for their role"),
    ("user.renamed", "Name changed"),
    ("user.sessions_ended", "Other sessions ended"),
    ("user.sign_in_failed", "Sign-in failed"),
    ("user.signed_in", "Signed in"),
    ("user.signed_out", "Signed out everywhere by command"),
];

/// The groups a list of the audit can be narrowed to: what actions begin with, and what that is called.
pub const GROUPS: [(&str, &str); 24] = [
    ("lead.", "Leads"),
    ("customer.", "Sign-ups"),
    ("payment", "Payments"),
    ("subscription.", "Subscriptions"),
    ("commission", "Commissions"),
    ("payout.", "Payouts"),
    ("adjustment.", "Adjustments"),
    ("customer_reward.", "Customer rewards"),
    ("referrer", "Referrers"),
    ("enrollment.", "Enrollments"),
    ("code", "Codes"),
    ("import.", "Imports"),
    ("inbox.", "Inbox"),
    ("campaign.", "Campaigns"),
    ("product.", "Products"),
    ("provider.", "Payment providers"),
    ("terms.", "Terms"),
    ("key.", "Keys"),
    ("test_data.", "Test data"),
    ("trace.", "Links to answers"),
    ("member.", "Team"),
    ("invitation.", "Invitations"),
    ("user.", "Accounts"),
    ("business.", "Business"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn texts(dir: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Every text `"noun.verb"` of the sources whose noun the table knows is an action; but for those of other programs,
    /// which payment providers' messages have in them.
    #[test]
    fn every_action_of_the_sources_has_words() {
        let mut sources = Vec::new();
        texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
        let nouns: Vec<&str> = TABLE.iter().filter_map(|(a, _)| a.split('.').next()).collect();
        let mut unknown = Vec::new();
        let is_foreign = |path: &str, text: &str| path.contains("/providers/") && !text.contains("NewEntry");
        for (path, text) in sources.iter().filter(|(path, text)| !is_foreign(path, text)) {
            for piece in text.split('"').skip(1).step_by(2) {
                let action = piece.split_once('.').filter(|(noun, verb)| {
                    nouns.contains(noun)
                        && !verb.is_empty()
                        && verb.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                });
                if action.is_some() && words(piece) == "Something was changed" {
                    unknown.push(format!("{path}: {piece}"));
                }
            }
        }
        assert!(unknown.is_empty(), "say in src/audit/words.rs what these actions are called: {unknown:#?}");
    }

    #[test]
    fn the_table_is_sorted_and_grouped() {
        assert!(TABLE.is_sorted_by_key(|(action, _)| *action));
        for (action, words) in TABLE {
            let grouped = GROUPS.iter().any(|(prefix, _)| action.starts_with(prefix));
            assert!(grouped, "{action} is in no group");
            assert!(!words.ends_with('.'));
        }
    }
}
