//! One code of a campaign: its state at Stripe and the reason, and the payments that came by it.

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::campaign::{find, named};
use super::performance::shown;
use crate::campaigns::Campaign;
use crate::codes::{self, CodeState, Known};
use crate::figures;
use crate::money::Money;
use crate::providers::accounts;
use crate::providers::standing::{self, Owner, Standing};
use crate::providers::store::performance::{self as store, LEADS, PAYMENTS_KNOWN, PaymentLine};
use crate::providers::store::uses::{self, Uses};
use crate::query::ListQuery;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Fault, PageResult, Pager, html};
use crate::when::When;

/// Messages looked at for its uses.
const LOOKED: i64 = 10_000;

#[derive(Template)]
#[template(path = "providers/code.html")]
struct CodePage {
    frame: Frame,
    campaign: Campaign,
    code: Known,
    standings: Vec<Placed>,
    uses: String,
    leads: String,
    revenue: Vec<String>,
    earned: Vec<String>,
    rows: Vec<Line>,
    pager: Pager,
    /// Not all its leads were looked at.
    cut: bool,
}

/// The state of the code at one account.
struct Placed {
    place: String,
    made: Option<(String, When)>,
    standing: Standing,
}

struct Line {
    row: PaymentLine,
    day: When,
}

impl Line {
    fn amount(&self) -> String {
        Money::shown_in(self.row.amount, &self.row.currency)
    }

    fn refunded(&self) -> Option<String> {
        (self.row.refunded > 0).then(|| Money::shown_in(self.row.refunded, &self.row.currency))
    }

    fn earned(&self) -> Option<(i64, String)> {
        let amount = Money::shown_in(self.row.earned?, self.row.earned_currency.as_deref().unwrap_or_default());
        Some((self.row.commission_id?, amount))
    }
}

/// "12 payments that named the code"
fn sentence(uses: &Uses) -> String {
    let payments = if uses.payments == 1 && !uses.cut { "payment" } else { "payments" };
    format!("{} {payments} that named the code, typed or brought by its link; test payments are left out", uses.shown())
}

pub(super) async fn show(
    page: Page,
    Path((id, code_id)): Path<(i64, i64)>,
    OriginalUri(uri): OriginalUri,
) -> PageResult {
    let campaign = find(&page, id).await?;
    let business_id = page.member.business_id;
    let query = ListQuery::new(format!("/campaigns/{id}/payments/codes/{code_id}"), uri.query(), &PAYMENTS_KNOWN);
    let mut conn = page.read().await?;
    let code = codes::by_id(&mut conn, business_id, code_id).await?.filter(|code| code.campaign_id == id);
    let code = code.ok_or(Fault::NotFound)?;
    let accounts = standing::accounts(accounts::of(&mut conn, business_id).await?, id);
    let at_stripe = uses::at_stripe(&mut conn, &[code_id]).await?;
    let used = uses::counts(&mut conn, &[code_id], LOOKED).await?;
    let figures = figures::of_codes(&mut conn, &[code_id]).await?.remove(&code_id).unwrap_or_default();
    let of_referrer = figures::of_enrollments(&mut conn, &[code.enrollment_id]).await?.remove(&code.enrollment_id);
    let mut rows = store::payments(&mut conn, code.referrer_id, code_id, &query).await?;
    drop(conn);
    let cursor = |row: &PaymentLine| crate::db::Cursor { value: row.payment_date.clone(), id: row.id };
    let pager = Pager::cut(&query, &mut rows, cursor, "");
    let owner = Owner { state: code.enrollment_state.clone(), archived: code.archived };
    let state = CodeState::parse(&code.state);
    let placed = |place: String, standing: Standing| Placed {
        place,
        made: standing.made.clone().map(|(promotion, at)| (promotion, page.when(at))),
        standing,
    };
    let mut standings: Vec<Placed> = accounts
        .iter()
        .map(|a| placed(format!("At Stripe: {}", named(a)), standing::at(a, id, &owner, state, &at_stripe)))
        .collect();
    if standings.is_empty() {
        standings.push(placed("At Stripe".to_owned(), Standing::unconnected()));
    }
    let today = page.today();
    html(&CodePage {
        standings,
        uses: used.first().map(sentence).unwrap_or_default(),
        leads: counted(figures.leads()),
        revenue: shown(figures.revenue()),
        earned: of_referrer.map(|f| shown(f.earned())).unwrap_or_default(),
        cut: figures.leads() >= i64::try_from(LEADS).unwrap_or(i64::MAX),
        rows: rows.into_iter().map(|row| Line { day: When::on_text(today, &row.payment_date), row }).collect(),
        pager,
        code,
        campaign,
        frame: page.frame("campaign").await?,
    })
}
