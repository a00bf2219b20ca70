//! Adding a referrer. The list, a person's page and its forms have files of their own.

mod bulk;
mod change;
mod enroll;
mod list;
mod person;

use std::sync::Arc;

use askama::Template;
use axum::extract::OriginalUri;
use axum::http::StatusCode;

use super::{AddReferrer, Added};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    Routes::new()
        .get("/referrers", Access::May(Right::SeeReferrers), list::list)
        // A file of everybody with their addresses is more than a look-up.
        .get("/referrers/export", Access::May(Right::SeeLeads), list::export)
        .post("/referrers/bulk", Access::May(Right::EditReferrers), bulk::bulk)
        .get("/referrers/new", Access::May(Right::EditReferrers), new)
        .form("/referrers", Access::May(Right::EditReferrers), create)
        .merge(person::routes())
        .merge(change::routes())
        .merge(enroll::routes())
}

#[derive(Template)]
#[template(path = "referrers/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
}

async fn new(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/referrers/new", &uri, &["name", "then"]);
    let filled = [("generate", "yes"), ("name", query.get("name")), ("then", query.get("then"))];
    html(&NewPage { frame: page.frame("referrers").await?, form: Form::filled(&filled) })
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let name = form.line("name", "The name", 200);
    let email = form.email("email", "The e-mail address");
    let phone = form.optional_phone("phone", &page.member.country);
    let company = form.optional_line("company", "The company", 200);
    let (Some(name), Some(email), true) = (name, email, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage { frame: page.frame("referrers").await?, form });
    };
    let new = AddReferrer {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        name,
        email: Some(email),
        phone,
        company,
        marks: crate::meta::Marks::default(),
        generate: form.checked("generate"),
    };
    let name = new.name.clone();
    match super::add(&page.app, &Arc::new(page.member.actor()), new).await? {
        Added::New { referrer_id, enrollment_id, code }
        | Added::Known { referrer_id, enrollment_id, enrolled: true, code } => {
            let has_code = code.is_some();
            let with = code.map_or_else(String::new, |c| format!(" with the code {c}"));
            // Their first referral waits to be recorded.
            let record = format!("/record?referrer={referrer_id}");
            let to = if form.value("then") == "record" { record.as_str() } else { "/referrers" };
            let said = Flash::good(format!("{name} was added{with}."));
            let said =
                if has_code { said.next(format!("/enrollments/{enrollment_id}/text"), "Tell them") } else { said };
            page.go(to, said).await
        }
        Added::Known { .. } | Added::ExternalIdTaken { .. } => {
            form.fail("email", "A referrer with this address is already in this campaign.");
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage { frame: page.frame("referrers").await?, form })
        }
    }
}
