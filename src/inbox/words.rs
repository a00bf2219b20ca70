//! Each kind of item in words: what happened, and what can be done about it.

use serde_json::Value as Json;

use super::store::ItemRow;
use crate::clock::Day;
use crate::engine::{ClaimRefusal, InboxKind};
use crate::money::Money;

/// The words of an item on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub happened: String,
    pub advice: String,
}

/// The effect of one click on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Attribute the lead to whom the touch claims.
    Attribute,
    /// Attribute it to one of the closest codes.
    Closest,
    RecordPayment,
    PayBack,
    /// Give a reward that was in doubt.
    Reward,
    /// Looking and dismissing only.
    None,
}

/// The possible actions on an open item.
pub fn fix_of(item: &ItemRow) -> Fix {
    let here = item.enrollment_id.is_some() && item.enrollment_campaign_id == item.lead_campaign_id;
    match item.kind.as_str() {
        _ if item.state != "open" => Fix::None,
        "second_payment" => Fix::RecordPayment,
        "older_payments" => Fix::PayBack,
        "reward_in_doubt" if item.referrer_id.is_some() && item.counts_id == item.referrer_id => Fix::Reward,
        // The present referrer stays, until staff decide otherwise on the lead's own page.
        _ if item.counts.is_some() => Fix::None,
        _ if waits_for_live(item) => Fix::None,
        "unknown_code" | "unnamed" => Fix::Closest,
        "retired_code" | "paused" | "campaign_not_live" if here => Fix::Attribute,
        "late_claim" if here && !matches!(item.refused.as_deref(), Some("banned" | "archived" | "self_referral")) => {
            Fix::Attribute
        }
        "late_claim" if matches!(item.refused.as_deref(), Some("unknown_code" | "unnamed")) => Fix::Closest,
        _ => Fix::None,
    }
}

/// True for an item that asks about money, whoever referred the lead; a reward is asked about for one referrer.
pub fn is_about_money(item: &ItemRow) -> bool {
    match InboxKind::parse(&item.kind) {
        Some(
            InboxKind::SecondPayment | InboxKind::OlderPayments | InboxKind::NoFlatAmount | InboxKind::RefundUnfit,
        ) => true,
        Some(InboxKind::RewardInDoubt) => fix_of(item) == Fix::Reward,
        _ => false,
    }
}

/// A draft campaign attributes test leads only.
fn waits_for_live(item: &ItemRow) -> bool {
    item.campaign_state.as_deref() == Some("draft") && item.lead_test == Some(false)
}

pub fn words_of(item: &ItemRow) -> Words {
    let detail: Json = serde_json::from_str(&item.detail).unwrap_or_default();
    let text = |name: &str| detail.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (code, lead) = (text("code"), item.lead.clone().unwrap_or_else(|| text("lead")));
    let who = item.referrer.clone().unwrap_or_else(|| "somebody".to_owned());
    let campaign = item.campaign.as_deref().unwrap_or("this campaign");
    let claim = if code.is_empty() { format!("{lead} named {who}") } else { format!("{lead} gave the code {code}") };
    let (title, happened, advice) = match item.kind.as_str() {
        "unknown_code" => (
            format!("{lead} gave an unknown code: {code}"),
            "The lead is saved without a referrer.".to_owned(),
            "These active codes are the closest. One click gives the lead to its referrer.".to_owned(),
        ),
        "unnamed" => (
            format!("{lead} was sent by “{code}”"),
            "The referrer was not found, so the lead is saved without one.".to_owned(),
            "One click gives the lead to one of these. Or set the referrer on the lead's page.".to_owned(),
        ),
        "retired_code" => (
            format!("{lead} gave a retired code: {code}"),
            format!(
                "It was {who}'s. New referrals with a retired code do not count, so the lead is saved without a referrer."
            ),
            format!("Give the lead to {who} if they really referred it."),
        ),
        "other_campaign" => (
            format!("{claim}, which is of another campaign"),
            format!("{who} is not enrolled in {campaign}, so the lead is saved without a referrer."),
            format!("Enroll {who} in {campaign}, then set the referrer on the lead's page."),
        ),
        "paused" => (
            format!("{claim}, but {who} is paused"),
            "A paused referrer gets no new leads by themselves. The lead is saved without a referrer.".to_owned(),
            format!("Give the lead to {who} if it should be theirs."),
        ),
        "banned" => (
            format!("{claim}, but {who} is banned"),
            "A banned referrer gets no new leads. The lead is saved without a referrer.".to_owned(),
            "Dismiss it, or set another referrer on the lead's page.".to_owned(),
        ),
        "archived" => (
            format!("{claim}, but {who} is archived"),
            "The lead is saved without a referrer.".to_owned(),
            format!("Restore {who} first if they should count, then set the referrer on the lead's page."),
        ),
        "campaign_not_live" => (
            format!("{claim} while {campaign} took no new referrals"),
            "The lead is saved without a referrer.".to_owned(),
            match waits_for_live(item) {
                true => format!("{campaign} is a draft. Make it live first, then give the lead to its referrer here."),
                false => format!("Give the lead to {who} if it should be theirs."),
            },
        ),
        "self_referral" => (
            format!("{lead} seems to have referred themselves"),
            format!("The lead has the same e-mail address or phone number as {who}, so it has no referrer."),
            "Dismiss it, or set another referrer on the lead's page.".to_owned(),
        ),
        "late_claim" => (
            format!("{lead} came again, with the code {code}"),
            match item.refused.as_deref().and_then(ClaimRefusal::parse) {
                Some(refused) => format!("The lead has no referrer yet. Of the code: {}.", refused.sentence()),
                None => {
                    format!("It is {who}'s. The lead has no referrer yet; a repeat alone changes nothing.")
                }
            },
            format!("Give the lead to {who} if they referred it."),
        ),
        "second_payment" => second_payment(item, &detail, &text("email")),
        "refund_unfit" => refund_unfit(&detail, &text("email")),
        "older_payments" => {
            let count = detail.get("count").and_then(Json::as_i64).unwrap_or(1);
            let payments = if count == 1 { "1 older payment".to_owned() } else { format!("{count} older payments") };
            (
                format!("{payments} of {lead} could earn"),
                format!("They came before {who} counted as the referrer. They earn nothing until you accept this."),
                "You see exactly what they would earn first.".to_owned(),
            )
        }
        "reward_in_doubt" => (
            format!("Does {who} get the reward for {lead}?"),
            format!(
                "A member of your team voided what another referrer earned with {lead}. So the campaign's reward was not given \
                 to {who} by itself."
            ),
            format!("Give it if {who} really referred them. Dismiss this if nobody gets it."),
        ),
        "no_flat_amount" => (
            format!("A payment in {} earned nothing", text("currency")),
            format!("{} paid, and {}.", text("email"), text("why")),
            "Name an amount in that currency in new terms. They count for payments from their first day on.".to_owned(),
        ),
        other => (other.replace('_', " "), String::new(), String::new()),
    };
    Words { title, happened, advice }
}

fn second_payment(item: &ItemRow, detail: &Json, email: &str) -> (String, String, String) {
    let text = |name: &str| detail.get(name).and_then(Json::as_str).unwrap_or_default();
    let minor = detail.get("amount").and_then(Json::as_i64).unwrap_or_default();
    let amount = Money::shown_in(minor, text("currency"));
    let day = Day::parse(text("date")).map_or_else(|_| text("date").to_owned(), Day::shown);
    let first = match (item.paid_amount, &item.paid_currency) {
        (Some(minor), Some(currency)) => Money::shown_in(minor, currency),
        _ => "A payment".to_owned(),
    };
    (
        format!("Possibly a second payment of {email}: {amount}"),
        format!("{first} for the same product on {day} is recorded. Is {amount} a second payment on that day?"),
        "Record it if they paid twice that day. Dismiss it if it is the same payment sent again.".to_owned(),
    )
}

fn refund_unfit(detail: &Json, email: &str) -> (String, String, String) {
    let text = |name: &str| detail.get(name).and_then(Json::as_str).unwrap_or_default();
    let day = Day::parse(text("date")).map_or_else(|_| text("date").to_owned(), Day::shown);
    let amount = format!("{} {}", text("asked"), text("currency"));
    (
        format!("A refund to {email} did not fit its payment"),
        format!(
            "{} of {day} came before the payment. Now that it is here, {}. Nothing was refunded.",
            amount.trim(),
            text("why")
        ),
        "Refund the payment on the lead's page if something was given back, then dismiss this.".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: &str, detail: &str) -> ItemRow {
        ItemRow {
            id: 1,
            kind: kind.into(),
            state: "open".into(),
            times: 1,
            detail: detail.into(),
            campaign: Some("Spring".into()),
            campaign_state: Some("live".into()),
            lead_id: Some(2),
            lead: Some("Bob".into()),
            lead_test: Some(false),
            lead_campaign_id: Some(3),
            counts: None,
            counts_id: None,
            paid_amount: Some(10_000),
            paid_currency: Some("USD".into()),
            referrer_id: Some(4),
            referrer: Some("Jane".into()),
            enrollment_id: Some(5),
            enrollment_campaign_id: Some(3),
            code_id: None,
            refused: None,
            outcome: None,
            closer: None,
            closed_at: None,
            created_at: 0,
        }
    }

    #[test]
    fn every_kind_the_rules_write_has_words() {
        for kind in [
            "unknown_code",
            "unnamed",
            "retired_code",
            "other_campaign",
            "paused",
            "banned",
            "archived",
            "campaign_not_live",
            "self_referral",
            "late_claim",
            "second_payment",
            "older_payments",
            "reward_in_doubt",
            "no_flat_amount",
            "refund_unfit",
        ] {
            let words = words_of(&item(kind, r#"{"code":"KX7","currency":"KES"}"#));
            assert_ne!(words.title, kind.replace('_', " "), "{kind}");
            assert!(!words.happened.is_empty() && !words.advice.is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_fix_is_offered_where_the_rules_allow_it() {
        assert_eq!(fix_of(&item("paused", "{}")), Fix::Attribute);
        assert_eq!(fix_of(&item("banned", "{}")), Fix::None);
        assert_eq!(fix_of(&ItemRow { counts: Some("Ann".into()), ..item("late_claim", "{}") }), Fix::None);
        assert_eq!(fix_of(&ItemRow { state: "dismissed".into(), ..item("unknown_code", "{}") }), Fix::None);
        assert_eq!(fix_of(&ItemRow { enrollment_campaign_id: Some(9), ..item("retired_code", "{}") }), Fix::None);
        assert_eq!(fix_of(&item("second_payment", "{}")), Fix::RecordPayment);
        let draft = |lead_test: bool| ItemRow {
            campaign_state: Some("draft".into()),
            lead_test: Some(lead_test),
            ..item("campaign_not_live", "{}")
        };
        assert_eq!((fix_of(&draft(false)), fix_of(&draft(true))), (Fix::None, Fix::Attribute));
        assert!(words_of(&draft(false)).advice.contains("live first"));
    }
}
