//! The settings of a kind of file: the account that pays, or the columns of a table.

use std::io::{Read as _, Seek as _};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Multipart, Path};
use axum::http::StatusCode;

use crate::payouts::files::{Column, Format, read, saved_recipients, texts};
use crate::payouts::{self, SetUp};
use crate::shell::{Frame, Page};
use crate::web::page::{Places, html_with};
use crate::web::{Choice, Fault, Flash, Form, PageResult, Upload};

#[derive(Template)]
#[template(path = "payouts/format.html")]
struct FormatPage {
    frame: Frame,
    form: Form,
    format: Format,
    places: Places,
    decimals: Vec<Choice>,
    delimiters: Vec<Choice>,
    fixed: Vec<Choice>,
    bookings: Vec<Choice>,
    without_bic: Vec<Choice>,
    columns: String,
    /// The masked account that pays, where one is stored.
    account: Option<String>,
    /// Recipients whom the business saved at Wise; `None` before Wise is set up.
    saved: Option<String>,
}

impl FormatPage {
    fn is(&self, word: &str) -> bool {
        self.format.word() == word
    }
}

/// The largest file of saved recipients.
const LARGEST: u64 = 10 << 20;

fn of_path(word: &str) -> Result<Format, Fault> {
    Format::parse(word).ok_or(Fault::NotFound)
}

async fn shown(page: &Page, format: Format, form: Form, status: StatusCode) -> PageResult {
    let now = payouts::version(&mut page.read().await?, page.member.business_id, format).await?;
    let masked = now.as_ref().and_then(|now| now.masked()).map(str::to_owned);
    let chosen = |name: &str| form.value(name).to_owned();
    let answer = FormatPage {
        frame: page.frame("payouts").await?,
        format,
        places: Places,
        decimals: Choice::list([("point", "Point: 1234.50"), ("comma", "Comma: 1234,50")], &chosen("decimal")),
        delimiters: Choice::list(
            [("comma", "Comma"), ("semicolon", "Semicolon"), ("tab", "Tab")],
            &chosen("delimiter"),
        ),
        fixed: Choice::list(
            [
                ("target", "The recipient gets the whole amount: you pay Wise’s fee on top"),
                ("source", "You send the whole amount: Wise’s fee is taken off it"),
            ],
            &chosen("fixed"),
        ),
        bookings: Choice::list(
            [("yes", "One entry for the whole file"), ("no", "One entry for each transfer")],
            &chosen("batch_booking"),
        ),
        without_bic: Choice::list(
            [("left_out", "Leave the bank out"), ("not_provided", "Write NOTPROVIDED")],
            &chosen("without_bic"),
        ),
        columns: Column::ALL.map(Column::word).join(", "),
        account: masked.clone().filter(|_| format == Format::Sepa),
        saved: now.filter(|_| format == Format::Wise).map(|_| masked.unwrap_or_default()),
        form,
    };
    html_with(status, &answer)
}

pub(super) async fn show(page: Page, Path(word): Path<String>) -> PageResult {
    let format = of_path(&word)?;
    let now = payouts::version(&mut page.read().await?, page.member.business_id, format).await?;
    let mut form = Form::default();
    if format == Format::Wise {
        form.set("source_currency", page.member.currency.code());
    }
    for (field, text) in now.iter().flat_map(|now| texts(&now.payer)) {
        form.set(field.word(), text);
    }
    shown(&page, format, form, StatusCode::OK).await
}

pub(super) async fn update(page: Page, Path(word): Path<String>, mut form: Form) -> PageResult {
    let format = of_path(&word)?;
    let business_id = page.member.business_id;
    let now = payouts::version(&mut page.read().await?, business_id, format).await?;
    let read = read(format, now.is_some_and(|now| now.masked().is_some()), &|field| form.value(field));
    let payer = match read {
        Ok(payer) if form.is_fine() => payer,
        read => {
            for problem in read.err().unwrap_or_default() {
                form.fail(problem.field.word(), problem.reason);
            }
            return shown(&page, format, form, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let actor = Arc::new(page.member.actor());
    let why = match payouts::set_payer(&page.app, &actor, business_id, payer).await? {
        SetUp::Changed => {
            let said = format!("The settings of the {} were saved.", format.title());
            return page.go("/payouts/settings", Flash::good(said)).await;
        }
        SetUp::Already => {
            return page.go("/payouts/settings", Flash::info("Nothing was different, so nothing was changed.")).await;
        }
        SetUp::Lacking => "Enter the IBAN of the account that pays.".to_owned(),
        SetUp::Refused(why) => why,
    };
    form.fail("", why);
    shown(&page, format, form, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Wise's own file of saved recipients, or the wish to forget it.
pub(super) async fn saved(page: Page, body: Multipart) -> PageResult {
    let Upload { form, mut file, size, .. } = Upload::read(body, LARGEST).await?;
    let (actor, own) = (Arc::new(page.member.actor()), "/payouts/settings/wise");
    let saved = if form.value("do") == "forget" {
        Vec::new()
    } else if size == 0 {
        return page.go(own, Flash::bad("Choose the file first.")).await;
    } else {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|e| Fault::Unavailable(e.to_string()))?;
        match saved_recipients(&bytes) {
            Ok(saved) if !saved.is_empty() => saved,
            Ok(_) => return page.go(own, Flash::bad("The file has no recipients.")).await,
            Err(why) => return page.go(own, Flash::bad(why.reason)).await,
        }
    };
    let many = saved.len();
    let flash = match payouts::set_saved(&page.app, &actor, page.member.business_id, saved).await? {
        SetUp::Lacking => Flash::bad("Save the currency that you pay from first."),
        SetUp::Refused(why) => Flash::bad(why),
        SetUp::Changed | SetUp::Already if many == 0 => Flash::good("Recipients saved at Wise are not used any more."),
        SetUp::Changed | SetUp::Already => Flash::good(format!("{many} saved recipients were read.")),
    };
    page.go(own, flash).await
}
