//! One's own account: name, password, the sessions that are open, the theme.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use super::super::store::{self, SessionLine};
use super::super::throttle::{self, Attempt, Trial};
use super::super::{self as users, Named, Passwords, agent_in_words};
use super::{Deed, prove};
use crate::clock::Instant;
use crate::email;
use crate::shell::{Access, Frame, Page, Routes, session};
use crate::users::{IDLE_SECONDS, Right};
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let may = Access::May(Right::Home);
    Routes::new()
        .get("/account", may, show)
        .form("/account", may, rename)
        .post("/account/password", may, change_password)
        .post("/account/sessions/end", may, end_session)
        .post("/account/sessions/end-others", may, end_others)
}

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    frame: Frame,
    form: Form,
    sessions: Vec<Line>,
    others: usize,
}

struct Line {
    id_hash: String,
    ip: String,
    agent: String,
    here: bool,
    seen: When,
    since: When,
}

/// The stored key of this request's session.
fn this_session(page: &Page) -> String {
    page.session.id().map(|id| session::hash(&id)).unwrap_or_default()
}

impl AccountPage {
    async fn of(page: &Page, form: Option<Form>) -> Result<Self, Fault> {
        let found = store::sessions(&mut page.read().await?, page.member.user_id).await?;
        let now = page.app.clock.now();
        let here = this_session(page);
        let open = |s: &SessionLine| {
            let idle_until = Instant::from_micros(s.seen_at).plus_seconds(IDLE_SECONDS);
            s.id_hash == here || (s.expires_at > now.micros() && idle_until > now)
        };
        let line = |s: SessionLine| Line {
            here: s.id_hash == here,
            agent: agent_in_words(&s.agent),
            seen: page.when(s.seen_at),
            since: page.when(s.created_at),
            ip: s.ip,
            id_hash: s.id_hash,
        };
        let sessions: Vec<Line> = found.into_iter().filter(open).map(line).collect();
        Ok(Self {
            frame: page.frame("account").await?,
            form: form.unwrap_or_else(|| Form::filled(&[("name", &page.member.name)])),
            others: sessions.iter().filter(|s| !s.here).count(),
            sessions,
        })
    }
}

async fn show(page: Page) -> PageResult {
    html(&AccountPage::of(&page, None).await?)
}

async fn rename(page: Page, mut form: Form) -> PageResult {
    let Some(name) = form.line("name", "The name", 120) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &AccountPage::of(&page, Some(form)).await?);
    };
    let actor = Arc::new(page.member.actor());
    let flash = match users::rename(&page.app, &actor, page.member.business_id, page.member.user_id, name).await? {
        Named::Yes => Flash::good("Your name was changed."),
        Named::Same => Flash::info("That is your name already."),
    };
    page.go("/account", flash).await
}

/// Asks the current password again, so that a screen left open does not give the account away.
async fn change_password(page: Page, mut form: Form) -> PageResult {
    let (current, new) = (form.value("current").to_owned(), form.value("password").to_owned());
    form.set("current", "");
    form.set("password", "");
    form.set("name", page.member.name.clone());
    let member = &page.member;
    let key = email::key_of(&member.email).unwrap_or_default();
    let trial = Trial::signed_in(key, &member.ip, &this_session(&page));
    let permit = match throttle::permit(&page.app, &page.app.passwords, &trial).await? {
        Attempt::Now(permit) => permit,
        Attempt::In(wait) => {
            form.fail("current", format!("Too many attempts. Try again in {wait} seconds."));
            return html_with(StatusCode::TOO_MANY_REQUESTS, &AccountPage::of(&page, Some(form)).await?);
        }
        Attempt::Closed => {
            form.fail("current", "Too many wrong passwords in a row. Sign out, and sign in again.");
            return html_with(StatusCode::TOO_MANY_REQUESTS, &AccountPage::of(&page, Some(form)).await?);
        }
        Attempt::Later => return Err(Fault::Unavailable("too many passwords are checked at once".into())),
    };
    let user = store::by_id(&mut page.read().await?, member.user_id).await?.ok_or(Fault::NotFound)?;
    if let Err(why) = Passwords::judge_for(&new, &[&member.email, &member.name, &member.business_name]) {
        form.fail("password", format!("The new password {why}."));
    } else if new == current {
        form.fail("password", "The new password is the same as the current one.");
    } else if !page.app.passwords.verify(&permit, current, Some(user.password_hash)).await {
        users::failed(&page.app, &trial, Some(member.user_id)).await?;
        form.fail("current", "That is not your current password.");
    }
    if !form.is_fine() {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &AccountPage::of(&page, Some(form)).await?);
    }
    users::proved(&page.app, &trial).await?;
    // Hashing the new password takes a permit of its own.
    drop(permit);
    let hash = page.app.passwords.hash(new).await.ok_or_else(|| Fault::Ours("no password hash".into()))?;
    let actor = Arc::new(member.actor());
    let here = this_session(&page);
    let ended = users::change_password(&page.app, &actor, member.business_id, member.user_id, hash, here).await?;
    // This session continues under a new id, so that a copy of the old one is worth nothing.
    page.session.cycle_id().await?;
    page.go("/account", Flash::good(format!("Your password was changed. {}", others_ended(ended)))).await
}

fn others_ended(ended: u64) -> String {
    match ended {
        0 => "No other session was open.".to_owned(),
        1 => "One other session was ended.".to_owned(),
        n => format!("{n} other sessions were ended."),
    }
}

async fn end_session(page: Page, mut form: Form) -> PageResult {
    let id_hash = form.value("session").to_owned();
    if id_hash == this_session(&page) {
        return Ok(Redirect::to("/account").into_response());
    }
    let deed = Deed {
        place: "account",
        title: "End a session".into(),
        sentence: "The browser is signed out at once.".into(),
        action: "/account/sessions/end".into(),
        cancel: "/account",
        button: "End session",
        fields: vec![("session", id_hash.clone())],
    };
    if let Some(asked) = prove(&page, &mut form, deed).await? {
        return Ok(asked);
    }
    let ended = store::end_session(&page.app.db, page.member.user_id, id_hash).await?;
    let flash =
        if ended { Flash::good("That session was ended.") } else { Flash::info("That session was over already.") };
    page.go("/account", flash).await
}

async fn end_others(page: Page, mut form: Form) -> PageResult {
    let deed = Deed {
        place: "account",
        title: "End all other sessions".into(),
        sentence: "Every other browser is signed out at once.".into(),
        action: "/account/sessions/end-others".into(),
        cancel: "/account",
        button: "End all other sessions",
        fields: Vec::new(),
    };
    if let Some(asked) = prove(&page, &mut form, deed).await? {
        return Ok(asked);
    }
    let actor = Arc::new(page.member.actor());
    let here = this_session(&page);
    let ended = users::end_others(&page.app, &actor, page.member.business_id, page.member.user_id, here).await?;
    page.go("/account", Flash::good(others_ended(ended))).await
}
