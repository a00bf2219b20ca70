//! The team's pages.

mod accept;

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::store::{self, InvitationRow, MemberLine};
use super::{Changed, Invited, Standing, Withdrawn};
use crate::keys::{self, KeyLine, Successor};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::pages::{Deed, prove};
use crate::users::{Right, Role};
use crate::web::page::{html_once, html_with};
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let may = Access::May(Right::Team);
    Routes::new()
        .get("/team", may, index)
        .get("/team/invite", may, new)
        .form("/team/invitations", may, create)
        .post("/team/invitations/{id}/withdraw", may, withdraw)
        .post("/team/members/{user}/role", may, set_role)
        .get("/team/members/{user}/remove", may, confirm_remove)
        .post("/team/members/{user}/remove", may, remove)
        .merge(accept::routes())
}

#[derive(Template)]
#[template(path = "team/index.html")]
struct IndexPage {
    frame: Frame,
    members: Vec<Line>,
    invitations: Vec<InvitationLine>,
    roles: Vec<Role>,
}

struct Line {
    member: MemberLine,
    roles: Vec<Choice>,
    you: bool,
    since: When,
}

struct InvitationLine {
    row: InvitationRow,
    expired: bool,
    until: When,
}

async fn index(page: Page) -> PageResult {
    let mut conn = page.read().await?;
    let members = store::members(&mut conn, page.member.business_id).await?;
    let invitations = store::open_invitations(&mut conn, page.member.business_id).await?;
    drop(conn);
    let now = page.app.clock.now();
    let line = |member: MemberLine| Line {
        roles: Choice::list(Role::ALL.map(|role| (role.word(), role.title())), &member.role),
        you: member.user_id == page.member.user_id,
        since: page.when(member.created_at),
        member,
    };
    let invitation = |row: InvitationRow| InvitationLine {
        expired: row.standing(now) == Standing::Expired,
        until: page.when(row.expires_at),
        row,
    };
    html(&IndexPage {
        members: members.into_iter().map(line).collect(),
        invitations: invitations.into_iter().map(invitation).collect(),
        roles: Role::ALL.into(),
        frame: page.frame("team").await?,
    })
}

#[derive(Template)]
#[template(path = "team/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    roles: Vec<Choice>,
}

impl NewPage {
    async fn of(page: &Page, form: Form) -> Result<Self, Fault> {
        let label = |role: Role| (role.word(), format!("{}: {}", role.title(), role.sentence()));
        Ok(Self { frame: page.frame("team").await?, roles: Choice::list(Role::ALL.map(label), "sales"), form })
    }
}

async fn new(page: Page) -> PageResult {
    html(&NewPage::of(&page, Form::default()).await?)
}

#[derive(Template)]
#[template(path = "team/invited.html")]
struct InvitedPage {
    frame: Frame,
    email: String,
    role: &'static str,
    link: String,
    days: i64,
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let email = form.email("email", "The e-mail address");
    let role = form.choice("role", "The role", Role::parse);
    let (Some(email), Some(role)) = (email, role) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
    };
    let shown = email.text().to_owned();
    let actor = Arc::new(page.member.actor());
    match super::invite(&page.app, &actor, page.member.business_id, email, role).await? {
        Invited::Member { name } => {
            form.fail("email", format!("{name} is on the team with this address already."));
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?)
        }
        Invited::Token(token) => html_once(&InvitedPage {
            frame: page.frame("team").await?,
            email: shown,
            role: role.word(),
            link: format!("{}/invitation/{token}", page.app.config.public_url),
            days: super::INVITATION_DAYS,
        }),
    }
}

async fn withdraw(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let flash = match super::withdraw(&page.app, &actor, page.member.business_id, id).await? {
        Withdrawn::NotFound => return Err(Fault::NotFound),
        Withdrawn::Over => Flash::info("That invitation was accepted or withdrawn before."),
        Withdrawn::Yes => Flash::good("The invitation was withdrawn. Its link no longer works."),
    };
    page.go("/team", flash).await
}

const LAST_OWNER: &str = "A business needs an owner. Make another member an owner first.";

async fn set_role(page: Page, Path(user_id): Path<i64>, mut form: Form) -> PageResult {
    let role = form.choice("role", "The role", Role::parse).ok_or(Fault::Bad("There is no such role.".into()))?;
    let found = store::member(&mut page.read().await?, page.member.business_id, user_id).await?;
    let member = found.ok_or(Fault::NotFound)?;
    let deed = Deed {
        place: "team",
        title: format!("Change the role of {}", member.name),
        sentence: format!("{} becomes {}. {}", member.name, role.word(), role.sentence()),
        action: format!("/team/members/{user_id}/role"),
        cancel: "/team",
        button: "Change role",
        fields: vec![("role", role.word().to_owned())],
    };
    if let Some(asked) = prove(&page, &mut form, deed).await? {
        return Ok(asked);
    }
    let actor = Arc::new(page.member.actor());
    let flash = match super::change_role(&page.app, &actor, page.member.business_id, user_id, role).await? {
        Changed::NotFound => return Err(Fault::NotFound),
        Changed::LastOwner => Flash::bad(LAST_OWNER),
        Changed::Same => Flash::info("That is their role already."),
        Changed::Yes => Flash::good(format!("The role is {} now, from their next click on.", role.word())),
    };
    // A person who gave up the owner's role may no longer see the team.
    let to = if user_id == page.member.user_id && !role.may(Right::Team) { "/" } else { "/team" };
    page.go(if matches!(flash.kind.as_str(), "good") { to } else { "/team" }, flash).await
}

#[derive(Template)]
#[template(path = "team/remove.html")]
struct RemovePage {
    frame: Frame,
    member: MemberLine,
    you: bool,
    /// The keys that the member holds.
    keys: Vec<KeyLine>,
    /// The member who holds them afterwards, where they are kept.
    successor: String,
}

/// The member who takes over keys: the one who removes another, or an owner who stays.
async fn successor(page: &Page, user_id: i64) -> Result<Option<MemberLine>, Fault> {
    let members = store::members(&mut page.read().await?, page.member.business_id).await?;
    let stays =
        |m: &MemberLine| m.user_id != user_id && (m.user_id == page.member.user_id || m.role == Role::Owner.word());
    let (here, others): (Vec<_>, Vec<_>) =
        members.into_iter().filter(stays).partition(|m| m.user_id == page.member.user_id);
    Ok(here.into_iter().chain(others).next())
}

async fn confirm_remove(page: Page, Path(user_id): Path<i64>) -> PageResult {
    let found = store::member(&mut page.read().await?, page.member.business_id, user_id).await?;
    let member = found.ok_or(Fault::NotFound)?;
    let now = page.app.clock.now();
    let keys = keys::held_by(&mut page.read().await?, page.member.business_id, user_id, now).await?;
    let successor = successor(&page, user_id).await?.map(|m| m.name).unwrap_or_default();
    let you = user_id == page.member.user_id;
    html(&RemovePage { you, member, keys, successor, frame: page.frame("team").await? })
}

async fn remove(page: Page, Path(user_id): Path<i64>, form: Form) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let you = user_id == page.member.user_id;
    let kept = if form.value("keys") == "keep" { successor(&page, user_id).await? } else { None };
    let keys = kept.map_or(Successor::None, |member| Successor::User(member.user_id));
    match super::remove(&page.app, &page.app.keys, &actor, page.member.business_id, user_id, keys).await? {
        Changed::NotFound => Err(Fault::NotFound),
        Changed::LastOwner => page.go("/team", Flash::bad(LAST_OWNER)).await,
        Changed::Yes | Changed::Same => {
            let said =
                if you { "You left the business." } else { "They were removed, and are out with their next click." };
            page.go(if you { "/" } else { "/team" }, Flash::good(said)).await
        }
    }
}
