//! Uploading a file, or pasting its rows.

use std::io::{Cursor, Read, Seek};
use std::sync::Arc;

use askama::Template;
use axum::extract::{DefaultBodyLimit, Multipart, OriginalUri, Path};
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};

use crate::campaigns::{self, CampaignChoice};
use crate::imports::table::{Choices, DELIMITERS};
use crate::imports::{Kind, NewImport, limits, stage};
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Form, PageResult, Upload, html};

pub fn routes(routes: Routes, import: Access) -> Routes {
    routes
        .get("/imports/new", import, new)
        .get("/imports/samples/{kind}", import, sample)
        // The file has a limit of its own, which `Upload` counts as it comes.
        .post("/imports", import, create.layer(DefaultBodyLimit::disable()))
}

#[derive(Template)]
#[template(path = "imports/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    kinds: Vec<Choice>,
    campaigns: Vec<Choice>,
    encodings: Vec<Choice>,
    delimiters: Vec<Choice>,
    headers: Vec<Choice>,
    limit: u64,
}

impl NewPage {
    async fn of(page: &Page, form: Form, campaigns: &[CampaignChoice]) -> Result<Self, Fault> {
        Ok(Self {
            frame: page.frame("imports").await?,
            kinds: Choice::list(
                Kind::ALL.map(|k| (k.word(), format!("{}. {}", k.label(), k.sentence()))),
                Kind::Qualifications.word(),
            ),
            campaigns: Choice::list(campaigns.iter().map(|c| (c.id, c.name.clone())), &page.campaign.id.to_string()),
            encodings: Choice::list(
                [
                    ("", "Detect automatically"),
                    ("utf-8", "UTF-8"),
                    ("windows-1252", "Western Europe (Windows-1252)"),
                    ("windows-1250", "Central Europe (Windows-1250)"),
                    ("windows-1251", "Cyrillic (Windows-1251)"),
                    ("utf-16le", "UTF-16"),
                ],
                "",
            ),
            delimiters: Choice::list(
                [
                    ("", "Detect automatically"),
                    (",", "Comma"),
                    (";", "Semicolon"),
                    ("\t", "Tab"),
                    ("|", "Vertical bar"),
                ],
                "",
            ),
            headers: Choice::list(
                [
                    ("", "Detect automatically"),
                    ("yes", "The first row names the columns"),
                    ("no", "The first row is data"),
                ],
                "",
            ),
            limit: page.app.config.upload_limit >> 20,
            form,
        })
    }
}

async fn new(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/imports/new", uri.query(), &["kind"]);
    let kind = Kind::parse(query.get("kind")).unwrap_or(Kind::Qualifications);
    let campaigns = campaigns::choices(&mut page.read().await?, page.member.business_id).await?;
    let form = Form::filled(&[("kind", kind.word()), ("campaign", &page.campaign.id.to_string())]);
    html(&NewPage::of(&page, form, &campaigns).await?)
}

async fn create(page: Page, body: Multipart) -> PageResult {
    let Upload { mut form, file_name, mut file, size } = Upload::read(body, page.app.config.upload_limit).await?;
    let campaigns = campaigns::choices(&mut page.read().await?, page.member.business_id).await?;
    let kind = form.choice("kind", "The kind of file", Kind::parse);
    let campaign = form.choice("campaign", "The campaign", |id| campaigns.iter().find(|c| c.id.to_string() == id));
    if let (Some(kind), Some("draft")) = (kind, campaign.map(|c| c.state.as_str()))
        && kind != Kind::Referrers
    {
        form.fail("campaign", "This campaign is a draft, which takes test data only. Make it live first.");
    }
    let pasted = form.value("text").to_owned();
    if size == 0 && pasted.trim().is_empty() {
        let why = if file_name.is_empty() { "Choose a file, or paste the rows below." } else { "This file is empty." };
        form.fail("file", why);
    }
    let chosen = match (kind, campaign) {
        (Some(kind), Some(campaign)) if form.is_fine() => {
            let new = NewImport {
                business_id: page.member.business_id,
                campaign_id: campaign.id,
                kind,
                file_name: if size > 0 { file_name } else { "Pasted rows".into() },
                created_by: Some(page.member.user_id),
                may_pay: page.member.may(Right::Pay),
            };
            file.rewind().map_err(|e| Fault::Unavailable(e.to_string()))?;
            let reader: Box<dyn Read + Send> =
                if size > 0 { Box::new(file) } else { Box::new(Cursor::new(pasted.into_bytes())) };
            let (app, actor, choices) = (page.app.clone(), Arc::new(page.member.actor()), choices(&form));
            // On its own, so that a browser that hangs up leaves no half of a file.
            let staged =
                tokio::spawn(async move { stage(&app, &actor, new, reader, choices, limits(&app.config)).await }).await;
            Some(staged.map_err(|e| Fault::Ours(e.to_string()))??)
        }
        _ => None,
    };
    match chosen {
        Some(Ok(id)) => Ok(Redirect::to(&format!("/imports/{id}")).into_response()),
        Some(Err(why)) => {
            form.fail("file", why);
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form, &campaigns).await?)
        }
        None => html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form, &campaigns).await?),
    }
}

fn choices(form: &Form) -> Choices {
    let encoding = Some(form.value("encoding").to_owned()).filter(|e| !e.is_empty());
    let delimiter = form.value("delimiter").chars().next().filter(|d| DELIMITERS.contains(d));
    let header = match form.value("header") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    Choices { encoding, delimiter, header }
}

/// A small file of each kind, to see what is meant.
async fn sample(_page: Page, Path(kind): Path<String>) -> PageResult {
    let text = match kind.strip_suffix(".csv").and_then(Kind::parse).ok_or(Fault::NotFound)? {
        Kind::Qualifications => {
            "Referral code,Email,Name\r\nK7M-4XP-D2CW,jane@example.com,Jane Njeri\r\n,omar@example.com,Omar Haddad\r\nAGENT123,,\r\n"
        }
        Kind::Leads => {
            "Name,Email,Phone,Company,Referral code,Status\r\nJane Njeri,jane@example.com,+254 722 000 001,Acme Ltd,K7M-4XP-D2CW,new\r\nOmar Haddad,omar@example.com,,,,contacted\r\n"
        }
        Kind::Referrers => {
            "Name,Email,Phone,Company,Referral code\r\nAnna Weber,anna@example.com,+49 30 901820,Weber GmbH,ANNA2026\r\nLi Wei,li@example.com,,,\r\n"
        }
    };
    let disposition = format!("attachment; filename=\"{kind}\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, text).into_response())
}
