//! The file of a payout, for the browser.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path};
use axum::http::header;
use axum::response::IntoResponse;

use super::show::find;
use crate::payouts;
use crate::payouts::files::{Format, Payer, PaypalFile, TableFile, suits};
use crate::query::pairs;
use crate::shell::Page;
use crate::web::{Fault, Flash, PageResult};

/// The formats that need nothing set.
pub(super) const FORMATS: [(Format, &str); 3] =
    [(Format::Paypal, "PayPal file"), (Format::Csv, "CSV"), (Format::Xlsx, "Excel")];

pub(super) async fn file(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let p = find(&page, id).await?;
    let query = pairs(uri.query().unwrap_or_default());
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let payer = match Format::parse(asked("format")) {
        Some(Format::Paypal) => Payer::Paypal(PaypalFile::default()),
        Some(Format::Csv) => Payer::Csv(TableFile::default()),
        Some(Format::Xlsx) => Payer::Xlsx(TableFile::default()),
        Some(Format::Wise | Format::Sepa) | None => return Err(Fault::NotFound),
    };
    if !suits(payer.format(), p.method) {
        return Err(Fault::NotFound);
    }
    let part = asked("part").parse().unwrap_or(1);
    let actor = Arc::new(page.member.actor());
    match payouts::file(&page.app, &actor, page.member.business_id, id, &payer, part).await? {
        Ok(made) => {
            let name = format!("attachment; filename=\"{}\"", made.name);
            let headers = [(header::CONTENT_TYPE, made.content_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
            Ok((headers, made.bytes).into_response())
        }
        Err(why) => page.go(&format!("/payouts/{id}"), Flash::bad(why.sentence())).await,
    }
}
