//! Publishable keys on the Integrations page.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use crate::db::Conn;
use crate::keys::Revoked;
use crate::keys::publishable::{make_publishable, origins, revoke_publishable};
use crate::keys::store::publishable as store;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let may = Access::May(Right::Integrations);
    Routes::new()
        .get("/integrations/publishable/new", may, new)
        .form("/integrations/publishable", may, create)
        .get("/integrations/publishable/{id}/revoke", may, confirm_revoke)
        .post("/integrations/publishable/{id}/revoke", may, revoke)
}

/// A key as the list shows it.
pub struct PublishableRow {
    pub id: i64,
    pub name: String,
    pub text: String,
    pub origins: Vec<String>,
    pub revoked: bool,
    pub made: When,
}

pub async fn rows(page: &Page, conn: &mut Conn) -> Result<Vec<PublishableRow>, Fault> {
    let all = store::origins(conn, page.member.business_id).await?;
    let keys = store::list(conn, page.member.business_id).await?;
    let row = |key: store::PublishableLine| PublishableRow {
        origins: all.iter().filter(|(id, _)| *id == key.id).map(|(_, origin)| origin.clone()).collect(),
        revoked: key.revoked_at.is_some(),
        made: page.when(key.created_at),
        id: key.id,
        name: key.name,
        text: key.text,
    };
    Ok(keys.into_iter().map(row).collect())
}

#[derive(Template)]
#[template(path = "keys/publishable_new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
}

async fn new(page: Page) -> PageResult {
    html(&NewPage { frame: page.frame("integrations").await?, form: Form::default() })
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let name = form.line("name", "The name", 80);
    let named = origins(form.value("origins"));
    match &named {
        Err(why) => form.fail("origins", format!("An origin: {why}.")),
        Ok(all) if all.is_empty() => form.fail("origins", "Name at least one origin that your pages are on."),
        Ok(_) => {}
    }
    let (Some(name), Ok(named), true) = (name, named, form.is_fine()) else {
        let page = NewPage { frame: page.frame("integrations").await?, form };
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let actor = Arc::new(page.member.actor());
    make_publishable(&page.app, &actor, page.member.business_id, &name, named).await?;
    let said = format!("{name} is ready. It may stand in the source of your pages.");
    page.go("/integrations#publishable", Flash::good(said)).await
}

#[derive(Template)]
#[template(path = "keys/publishable_revoke.html")]
struct RevokePage {
    frame: Frame,
    id: i64,
    name: String,
}

async fn confirm_revoke(page: Page, Path(id): Path<i64>) -> PageResult {
    let key = store::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    html(&RevokePage { frame: page.frame("integrations").await?, id, name: key.name })
}

async fn revoke(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let flash = match revoke_publishable(&page.app, &actor, page.member.business_id, id).await? {
        Revoked::NotFound => return Err(Fault::NotFound),
        Revoked::Already => Flash::info("That key was revoked already."),
        Revoked::Yes => Flash::good("The key was revoked. Pages that use it look nothing up from now on."),
    };
    page.go("/integrations", flash).await
}
