use askama::Template;
use axum::extract::Path;

use crate::campaigns;
use crate::commissions::store::{self, CommissionRow};
use crate::money::Money;
use crate::shell::{Frame, Page};
use crate::users::Right;
use crate::web::{Fault, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "commissions/show.html")]
struct ShowPage {
    frame: Frame,
    c: CommissionRow,
    line: String,
    hold: When,
    held_for: String,
    created: When,
    paid: Option<When>,
    ledger: Vec<(String, &'static str, String, When)>,
    timeline: Vec<Item>,
    can_approve: bool,
    can_void: bool,
    /// The address to dispute its payment, or to end the dispute; empty without the right.
    dispute_url: String,
}

struct Item {
    at: When,
    title: String,
    body: String,
    who: String,
    tone: &'static str,
}

/// The commission, if it is the business's.
pub(super) async fn find(page: &Page, id: i64) -> Result<CommissionRow, Fault> {
    store::by_id(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}

fn account(word: &str) -> &'static str {
    match word {
        "held" => "Held",
        "due" => "Due",
        "paying" => "Being paid",
        _ => "Paid",
    }
}

pub(super) async fn show(mut page: Page, Path(id): Path<i64>) -> PageResult {
    let c = find(&page, id).await?;
    page.of_campaign(c.campaign_id);
    let mut conn = page.read().await?;
    let entries = store::entries(&mut conn, id).await?;
    let decisions = store::decisions(&mut conn, &c).await?;
    drop(conn);
    let today = page.today();
    let ledger = entries
        .into_iter()
        .map(|e| (Money::shown_in(e.amount, &e.currency), account(&e.account), e.kind, page.when(e.at)))
        .collect();
    let mut timeline = vec![Item {
        at: page.when(c.created_at),
        title: format!("Created with {}", c.first_shown()),
        body: c.first().sum(),
        who: String::new(),
        tone: "",
    }];
    timeline.extend(decisions.into_iter().map(|d| {
        let (title, tone) = match d.action.as_str() {
            "commission.approved" => ("Approved".to_owned(), "good"),
            "commission.voided" => ("Voided".to_owned(), "bad"),
            "commission.refunded" => ("Changed by a refund".to_owned(), "warning"),
            "payment.disputed" => ("Payment disputed".to_owned(), "bad"),
            "payment.dispute_ended" => ("Dispute of the payment ended".to_owned(), ""),
            other => (other.replace('.', " "), ""),
        };
        Item { at: page.when(d.at), title, body: d.reason.unwrap_or_default(), who: d.actor, tone }
    }));
    timeline.reverse();
    let decides = page.member.may(Right::DecideMoney);
    let dispute_url = match c.payment_id.filter(|_| decides && c.refunded < c.base_amount) {
        Some(payment) if c.disputed_at.is_some() => format!("/leads/{}/payments/{payment}/dispute/end", c.lead_id),
        Some(payment) => format!("/leads/{}/payments/{payment}/dispute", c.lead_id),
        None => String::new(),
    };
    html(&ShowPage {
        frame: page.frame("commissions").await?,
        line: c.arithmetic().line(today),
        hold: When::on_text(today, &c.hold_until),
        held_for: campaigns::days(c.hold_days),
        created: page.when(c.created_at),
        paid: c.payment_date.as_deref().map(|day| When::on_text(today, day)),
        ledger,
        timeline,
        can_approve: decides && c.can_be_approved(),
        can_void: decides && c.is_unpaid(),
        dispute_url,
        c,
    })
}
