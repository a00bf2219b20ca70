//! The forms that change a referrer: editing, enrolling, pausing, banning, archiving.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use crate::money::{Currency, Money};
use crate::referrers::store::{self, EnrollmentOf};
use crate::referrers::{self, Decided, Edited, Enrolled, NewFacts, State};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    let edit = Access::May(Right::EditReferrers);
    Routes::new()
        .get("/referrers/{id}/edit", edit, edit_form)
        .form("/referrers/{id}/edit", edit, update)
        .post("/referrers/{id}/enrollments", edit, enroll)
        .get("/referrers/{id}/archive", edit, confirm_archive)
        .post("/referrers/{id}/archive", edit, archive)
        .post("/referrers/{id}/restore", edit, restore)
        .get("/enrollments/{id}/ban", edit, confirm_ban)
        .form("/enrollments/{id}/state", edit, set_state)
}

#[derive(Template)]
#[template(path = "referrers/edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    name: String,
    url: String,
}

async fn edit_form(page: Page, Path(id): Path<i64>) -> PageResult {
    let row = store::by_id(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let form = Form::filled(&[
        ("name", &row.name),
        ("email", &text(&row.email)),
        ("phone", &text(&row.phone)),
        ("company", &text(&row.company)),
    ]);
    html(&EditPage { frame: page.frame("referrers").await?, form, name: row.name, url: format!("/referrers/{id}") })
}

async fn update(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let business = page.member.business_id;
    let row = store::by_id(&mut page.read().await?, business, id).await?.ok_or(Fault::NotFound)?;
    let url = format!("/referrers/{id}");
    let name = form.line("name", "The name", 200);
    let email = form.optional_email("email");
    let phone = form.optional_phone("phone", &page.member.country);
    let company = form.optional_line("company", "The company", 200);
    if let (Some(name), true) = (name, form.is_fine()) {
        let new = NewFacts { name, email, phone, company, marks: None };
        match referrers::edit(&page.app, &Arc::new(page.member.actor()), business, id, new, None).await? {
            Edited::Done { changed: true } => return page.go(&url, Flash::good("Saved.")).await,
            Edited::Done { changed: false } => return page.go(&url, Flash::info("Nothing was changed.")).await,
            // The form leaves the external id as it is.
            Edited::NotFound | Edited::Stale | Edited::ExternalIdTaken { .. } => return Err(Fault::NotFound),
            Edited::EmailTaken { name, .. } => form.fail("email", format!("{name} has this e-mail address.")),
        }
    }
    let shown = EditPage { frame: page.frame("referrers").await?, form, name: row.name, url };
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

async fn enroll(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let campaign: i64 = form.value("campaign").parse().map_err(|_| Fault::NotFound)?;
    let actor = Arc::new(page.member.actor());
    let business = page.member.business_id;
    let flash = match referrers::enroll(&page.app, &actor, business, id, campaign, form.checked("generate")).await? {
        Enrolled::Done { code: Some(code), .. } => Flash::good(format!("Enrolled with the code {code}.")),
        Enrolled::Done { code: None, .. } => Flash::good("Enrolled without a code."),
        Enrolled::Already => Flash::info("They were in this campaign already."),
        Enrolled::Archived => Flash::bad("This referrer is archived. Restore them first."),
        Enrolled::NotFound => return Err(Fault::NotFound),
    };
    page.go(&format!("/referrers/{id}"), flash).await
}

#[derive(Template)]
#[template(path = "referrers/archive.html")]
struct ArchivePage {
    frame: Frame,
    name: String,
    title: String,
    url: String,
    action: String,
}

async fn confirm_archive(page: Page, Path(id): Path<i64>) -> PageResult {
    let row = store::by_id(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    html(&ArchivePage {
        frame: page.frame("referrers").await?,
        title: format!("Archive {}", row.name),
        name: row.name,
        url: format!("/referrers/{id}"),
        action: format!("/referrers/{id}/archive"),
    })
}

async fn archive(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let done = referrers::archive(&page.app, &actor, page.member.business_id, id, true).await?;
    done.ok_or(Fault::NotFound)?;
    let undo =
        Flash::good("Archived. History, codes and money stay.").undo(format!("/referrers/{id}/restore"), "Undo", &[]);
    page.go(&format!("/referrers/{id}"), undo).await
}

async fn restore(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let done = referrers::archive(&page.app, &actor, page.member.business_id, id, false).await?;
    done.ok_or(Fault::NotFound)?;
    page.go(&format!("/referrers/{id}"), Flash::good("Taken out of the archive.")).await
}

#[derive(Template)]
#[template(path = "referrers/ban.html")]
struct BanPage {
    frame: Frame,
    who: EnrollmentOf,
    banned: bool,
    title: String,
    action: String,
    url: String,
    form: Form,
    unpaid: Vec<String>,
    sees_money: bool,
}

/// "3 approved, 60.00 USD": what is unpaid, for the page that asks.
async fn unpaid(page: &Page, who: &EnrollmentOf) -> Result<Vec<String>, Fault> {
    if !page.member.may(Right::SeeMoney) {
        return Ok(Vec::new());
    }
    let rows = store::unpaid(&mut page.read().await?, who.referrer_id, who.id).await?;
    Ok(rows
        .into_iter()
        .filter_map(|u| {
            let money = Money { minor: u.amount, currency: Currency::parse(&u.currency).ok()? };
            Some(format!("{} {}, {}", u.commissions, u.state, money.shown()))
        })
        .collect())
}

async fn confirm_ban(page: Page, Path(id): Path<i64>) -> PageResult {
    html(&ban_page(&page, id, Form::default()).await?)
}

async fn ban_page(page: &Page, id: i64, form: Form) -> Result<BanPage, Fault> {
    let found = store::enrollment_by_id(&mut page.read().await?, page.member.business_id, id).await?;
    let who = found.ok_or(Fault::NotFound)?;
    let banned = who.state == "banned";
    Ok(BanPage {
        frame: page.frame("referrers").await?,
        banned,
        title: if banned { format!("Lift the ban of {}", who.name) } else { format!("Ban {}", who.name) },
        action: format!("/enrollments/{id}/state"),
        url: format!("/referrers/{}", who.referrer_id),
        form,
        unpaid: unpaid(page, &who).await?,
        sees_money: page.member.may(Right::SeeMoney),
        who,
    })
}

async fn set_state(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(to) = form.choice("to", "The state", State::parse) else {
        return Err(Fault::Bad("A referrer is active, paused or banned.".into()));
    };
    let reason = form.optional_text("reason", "The reason", 500);
    if !form.is_fine() {
        return match to {
            State::Banned => html_with(StatusCode::UNPROCESSABLE_ENTITY, &ban_page(&page, id, form).await?),
            // Only a ban has a reason to type.
            _ => Err(Fault::Bad("The reason must be at most 500 characters.".into())),
        };
    }
    let actor = Arc::new(page.member.actor());
    let decided = referrers::decide(&page.app, &actor, page.member.business_id, id, to, reason).await?;
    let (referrer, flash) = match decided {
        Decided::NotFound => return Err(Fault::NotFound),
        Decided::Already { referrer_id, name } => {
            (referrer_id, Flash::info(format!("{name} is {} already.", to.word())))
        }
        Decided::Done { referrer_id, name, was } => {
            let said = match (was, to) {
                (_, State::Paused) => {
                    format!("{name} is paused: new referrals do not count, existing leads keep earning.")
                }
                (_, State::Banned) => {
                    format!("{name} is banned: new referrals do not count, and nothing more is earned.")
                }
                (State::Banned, State::Active) => format!("The ban of {name} is lifted."),
                (_, State::Active) => format!("{name} is active again."),
            };
            let undoable = was != State::Banned && to != State::Banned;
            let flash = Flash::good(said);
            let undo = |f: Flash| f.undo(format!("/enrollments/{id}/state"), "Undo", &[("to", was.word())]);
            (referrer_id, if undoable { undo(flash) } else { flash })
        }
    };
    page.go(form.back(&format!("/referrers/{referrer}")), flash).await
}
