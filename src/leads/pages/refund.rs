//! Staff give money back on a payment: the same event as a refund by the API, with a reason.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::find::find;
use super::qualification::refused;
use crate::email::Email;
use crate::engine::{Field, PaymentRef, ProductScope, Refund, RefundOutcome, Rejected};
use crate::id;
use crate::leads::LeadRow;
use crate::leads::store::one::{self, PaymentRow};
use crate::money::{Currency, Money, Unpriced};
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult};
use crate::when::When;

#[derive(Template)]
#[template(path = "leads/refund.html")]
struct RefundPage {
    frame: Frame,
    person: LeadRow,
    payment: i64,
    title: String,
    paid: String,
    product: String,
    day: When,
    /// The rest of the payment.
    left: String,
    currency: &'static str,
    form: Form,
}

impl RefundPage {
    async fn of(page: &Page, person: LeadRow, row: &PaymentRow, form: Form) -> Result<Self, Fault> {
        let currency = currency_of(row)?;
        let mut frame = page.frame("leads").await?;
        // Switching the theme here leads back to a page that can be loaded again.
        frame.path = format!("/leads/{}", person.id);
        Ok(Self {
            frame,
            payment: row.id,
            title: format!("Refund a payment of {}", person.name),
            paid: Money { minor: row.amount, currency }.shown(),
            product: row.product.clone(),
            day: When::on_text(page.today(), &row.payment_date),
            left: Money { minor: row.amount - row.refunded, currency }.shown(),
            currency: currency.code(),
            person,
            form,
        })
    }
}

fn currency_of(row: &PaymentRow) -> Result<Currency, Fault> {
    Currency::parse(&row.currency).map_err(|why| Fault::Ours(format!("{} {why}", row.currency)))
}

pub(super) async fn payment_of(page: &Page, lead_id: i64, id: i64) -> Result<PaymentRow, Fault> {
    one::payment(&mut page.read().await?, lead_id, id).await?.ok_or(Fault::NotFound)
}

pub(super) async fn ask(page: Page, Path((id, payment)): Path<(i64, i64)>) -> PageResult {
    let lead = find(&page, id).await?;
    let row = payment_of(&page, id, payment).await?;
    let left = Money { minor: row.amount - row.refunded, currency: currency_of(&row)? };
    if left.minor == 0 {
        return page.go(&format!("/leads/{id}"), Flash::info("Nothing is left of this payment.")).await;
    }
    let form = Form::filled(&[("amount", left.plain().as_str()), ("date", page.today().to_string().as_str())]);
    html_with(StatusCode::OK, &RefundPage::of(&page, lead, &row, form).await?)
}

pub(super) async fn refund(page: Page, Path((id, payment)): Path<(i64, i64)>, mut form: Form) -> PageResult {
    let lead = find(&page, id).await?;
    let row = payment_of(&page, id, payment).await?;
    if let Some(refund) = read(&page, &lead, &row, &mut form)? {
        let flash = match page.app.engine.one(page.by(), refund).await? {
            Ok(RefundOutcome::Recorded(refunded)) => {
                let shown = |money: Option<Money>| money.map_or_else(String::new, Money::shown);
                Some(Flash::good(format!(
                    "{} refunded. {} is left of the payment.{}",
                    shown(refunded.amount),
                    shown(refunded.left),
                    form.understood()
                )))
            }
            Ok(RefundOutcome::Duplicate { .. }) => {
                Some(Flash::info("That refund was recorded already: same payment, amount and day."))
            }
            Err(Rejected::Invalid { field: Field::Amount, why }) => {
                form.fail("amount", format!("The amount {why}."));
                None
            }
            Err(why) => Some(refused(why)?),
        };
        if let Some(flash) = flash {
            return page.go(&format!("/leads/{id}"), flash).await;
        }
    }
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &RefundPage::of(&page, lead, &row, form).await?)
}

fn read(page: &Page, lead: &LeadRow, row: &PaymentRow, form: &mut Form) -> Result<Option<Refund>, Fault> {
    let currency = currency_of(row)?;
    let amount = form.money("amount", "The amount", currency);
    let date = form.day("date", "The day", page.today());
    if date.is_some_and(|date| date > page.today().plus_days(1)) {
        form.fail("date", "The day is in the future.");
    }
    let reason = form.line("reason", "The reason", 300);
    let (Some(amount), Some(date), Some(reason), true) = (amount, date, reason, form.is_fine()) else {
        return Ok(None);
    };
    let email = Email::parse(&row.email).map_err(|why| Fault::Ours(format!("the payment's address {why}")))?;
    Ok(Some(Refund {
        of: ProductScope::new(row.product_id, lead.campaign_id, row.test),
        email,
        payment: PaymentRef::Id(row.id.into()),
        amount: Some(Unpriced::of(amount)),
        currency: Some(currency),
        date,
        identity: None,
        body_hash: id::sha256_hex(&format!("{}|{}|{date}", row.id, amount.plain())),
        reason: Some(reason),
    }))
}
