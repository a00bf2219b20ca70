//! The files of a payout, for the browser: a look before it is locked, and the downloads.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{OriginalUri, Path};
use axum::http::{Uri, header};
use axum::response::IntoResponse;

use super::show::{find, is_ready};
use crate::money::Money;
use crate::payouts::files::Format;
use crate::payouts::{self, NoFile, PayoutRow, Refused};
use crate::query::pairs;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Fault, Flash, PageResult, html};

/// The asked format and the number of the part.
fn asked(uri: &Uri) -> Result<(Format, usize), Fault> {
    let query = pairs(uri.query().unwrap_or_default());
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let format = Format::parse(value("format")).ok_or(Fault::NotFound)?;
    Ok((format, value("part").parse().unwrap_or(1)))
}

pub(super) async fn file(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let (format, part) = asked(&uri)?;
    let actor = Arc::new(page.member.actor());
    match payouts::file(&page.app, &actor, page.member.business_id, id, format, part).await? {
        Ok(made) => {
            let name = format!("attachment; filename=\"{}\"", made.name);
            let headers = [(header::CONTENT_TYPE, made.content_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
            Ok((headers, Body::from_stream(made.pieces)).into_response())
        }
        Err(NoFile::Part | NoFile::Refused(Refused::NotFound | Refused::Format)) => Err(Fault::NotFound),
        Err(why) => page.go(&format!("/payouts/{id}"), Flash::bad(why.sentence())).await,
    }
}

#[derive(Template)]
#[template(path = "payouts/files.html")]
struct FilesPage {
    frame: Frame,
    p: PayoutRow,
    format: Format,
    /// Address where it can be downloaded by now, name, referrers, sum.
    files: Vec<(String, String, String, String)>,
    ready: bool,
    rows: Vec<Row>,
}

/// A line as it will be sent.
struct Row {
    name: String,
    amount: String,
    /// Name, masked account and reference in the file.
    sent: Result<(String, String, String), String>,
}

pub(super) async fn files(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let (format, _) = asked(&uri)?;
    let p = find(&page, id).await?;
    let plan = match payouts::plan(&page.app, page.member.business_id, id, format).await? {
        Ok(plan) => plan,
        Err(NoFile::Part | NoFile::Refused(Refused::NotFound | Refused::Format)) => return Err(Fault::NotFound),
        Err(why) => return page.go(&format!("/payouts/{id}"), Flash::bad(why.sentence())).await,
    };
    let approval = payouts::approval(&mut page.read().await?, page.member.business_id).await?;
    let people = |lines: usize| counted(i64::try_from(lines).unwrap_or(i64::MAX));
    let files = plan.files.into_iter().zip(1..).map(|(file, part)| {
        let amount = Money { minor: file.amount, currency: p.currency }.shown();
        (format!("/payouts/{id}/file?format={format}&part={part}"), file.name, people(file.lines), amount)
    });
    let rows = plan.sample.into_iter().map(|(line, sent)| Row {
        amount: line.money().shown(),
        sent: sent.map(|sent| (sent.name, line.details.clone().unwrap_or_default(), sent.reference)),
        name: line.referrer,
    });
    html(&FilesPage {
        frame: page.frame("payouts").await?,
        ready: is_ready(&p, approval),
        files: files.collect(),
        rows: rows.collect(),
        format,
        p,
    })
}
