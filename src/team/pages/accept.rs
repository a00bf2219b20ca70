//! The page that an invitation's link opens: a new person chooses a name and password, a known one
//! signs in and joins.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use tower_sessions::Session;

use super::super::store::{self, InvitationRow};
use super::super::{Accept, Accepted, Standing, Who, accept};
use crate::app::App;
use crate::clock::Instant;
use crate::id;
use crate::shell::session::signed_in;
use crate::shell::{Access, Routes, browser, session};
use crate::users::{self, Passwords, Role};
use crate::web::flash::flash_on;
use crate::web::page::{BareFrame, html_with};
use crate::web::{Fault, Flash, Form, PageResult, html, layers};

pub fn routes() -> Routes {
    Routes::new().get("/invitation/{token}", Access::Public, show).post("/invitation/{token}", Access::Public, join)
}

#[derive(Template)]
#[template(path = "team/accept.html")]
struct AcceptPage {
    frame: BareFrame,
    form: Form,
    token: String,
    row: InvitationRow,
    role_sentence: &'static str,
    ask: Ask,
}

/// The step that the page offers to the visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    /// A name and a password.
    New,
    /// To sign in with the invited address.
    SignIn,
    /// One click.
    Join,
    /// Another person is signed in here.
    Other { email: String },
}

#[derive(Template)]
#[template(path = "team/over.html")]
struct OverPage {
    frame: BareFrame,
    sentence: &'static str,
}

fn over(standing: Option<Standing>) -> PageResult {
    let sentence = match standing {
        Some(Standing::Accepted) => "It was used already. If that was you, sign in.",
        Some(Standing::Withdrawn) => "It was withdrawn. Ask the person who sent it for a new one.",
        Some(Standing::Expired) => "It has expired. Ask the person who sent it for a new one.",
        Some(Standing::Open) | None => "There is no such invitation. Check that the whole link was copied.",
    };
    html_with(StatusCode::NOT_FOUND, &OverPage { frame: BareFrame::new(), sentence })
}

/// The invitation of a token for this visitor, or the page with the reason against it.
async fn open(app: &App, token: &str, now: Instant) -> Result<Result<InvitationRow, Option<Standing>>, Fault> {
    let found = store::invitation_by_token(&mut app.db.read().await?, &id::sha256_hex(token)).await?;
    Ok(match found {
        None => Err(None),
        Some(row) => match row.standing(now) {
            Standing::Open => Ok(row),
            standing => Err(Some(standing)),
        },
    })
}

async fn ask(
    app: &App,
    row: &InvitationRow,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Ask, Option<i64>), Fault> {
    let here = signed_in(app, extensions, headers).await?.map(|found| found.user);
    let holder = users::id_by_email(&mut app.db.read().await?, &row.email_key).await?;
    Ok(match (here, holder) {
        (Some(user), Some(holder)) if user.id == holder => (Ask::Join, Some(user.id)),
        (Some(user), _) => (Ask::Other { email: user.email }, None),
        (None, Some(_)) => (Ask::SignIn, None),
        (None, None) => (Ask::New, None),
    })
}

async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> PageResult {
    let row = match open(&app, &token, app.clock.now()).await? {
        Ok(row) => row,
        Err(standing) => return over(standing),
    };
    let (ask, _) = ask(&app, &row, &extensions, &headers).await?;
    html(&page(Form::default(), token, row, ask))
}

fn page(form: Form, token: String, row: InvitationRow, ask: Ask) -> AcceptPage {
    let role_sentence = Role::parse(&row.role).map_or("", Role::sentence);
    AcceptPage { frame: BareFrame::new(), form, token, row, role_sentence, ask }
}

async fn join(
    State(app): State<App>,
    Path(token): Path<String>,
    session: Session,
    extensions: Extensions,
    headers: HeaderMap,
    mut form: Form,
) -> PageResult {
    let row = match open(&app, &token, app.clock.now()).await? {
        Ok(row) => row,
        Err(standing) => return over(standing),
    };
    let ip = layers::client_ip(&extensions, &headers, &app.config);
    let (ask, user_id) = ask(&app, &row, &extensions, &headers).await?;
    let who = match (&ask, user_id) {
        (Ask::Join, Some(user_id)) => Some(Who::User(user_id)),
        (Ask::New, _) => new_user(&app, &mut form, &row).await?,
        _ => None,
    };
    let Some(who) = who else {
        form.set("password", "");
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page(form, token, row, ask));
    };
    let business_name = row.business_name.clone();
    match accept(&app, Accept { token: token.clone(), who, ip: ip.clone() }).await? {
        Accepted::Over => over(Some(Standing::Accepted)),
        Accepted::NotTheirs => Ok(Redirect::to(&format!("/invitation/{token}")).into_response()),
        Accepted::Joined { user_id, business_id } => {
            let mut response = Redirect::to("/").into_response();
            if ask == Ask::New {
                session::start(&session, user_id, &ip, &headers).await?;
                let cookie = browser::remember(&app, &headers, user_id).await?;
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            session.insert("business", business_id).await?;
            flash_on(&session, Flash::good(format!("You are on the team of {business_name}."))).await?;
            Ok(response)
        }
    }
}

/// Name and password of a new person; `None`, with words in the form, when they are unacceptable.
async fn new_user(app: &App, form: &mut Form, row: &InvitationRow) -> Result<Option<Who>, Fault> {
    let name = form.line("name", "Your name", 120);
    let password = form.value("password").to_owned();
    if let Err(why) = Passwords::judge_for(&password, &[&row.email, &row.business_name]) {
        form.fail("password", format!("The password {why}."));
    }
    let Some(name) = name.filter(|_| form.is_fine()) else { return Ok(None) };
    let hash = app.passwords.hash(password).await.ok_or_else(|| Fault::Ours("no password hash".into()))?;
    Ok(Some(Who::New { name, password_hash: hash }))
}
