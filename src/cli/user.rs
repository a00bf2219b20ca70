//! `refdesk user …`: access to the machine is access to every account, so this is the way back in.

use clap::Subcommand;
use serde_json::json;

use super::Refusal;
use super::common::{actor, business, instant, open, print_json, print_table, read_password};
use super::say::say;
use crate::app::App;
use crate::config::Config;
use crate::email::Email;
use crate::team::{self, Invited};
use crate::text::counted;
use crate::users::{self, Ended, Passwords, PersonRow, Role};

#[derive(Subcommand)]
pub enum UserVerb {
    /// Everybody, the businesses they are in and their roles
    List {
        /// Only who is in this business (business_…)
        #[arg(long)]
        business: Option<String>,
        /// One JSON object instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Set a user's password from standard input, and end their sessions
    ResetPassword {
        /// Their e-mail address
        email: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// End every session of a user, as after a lost laptop
    SignOut {
        /// Their e-mail address
        email: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print a link by which one person joins a business, once, within seven days
    Invite {
        /// Their e-mail address
        email: String,
        /// owner, marketing, sales, developer or viewer
        #[arg(long, value_parser = role)]
        role: Role,
        /// The business (business_…), where there are several
        #[arg(long)]
        business: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "must be owner, marketing, sales, developer or viewer".to_owned())
}

pub async fn user(config: Config, verb: UserVerb) -> Result<(), Refusal> {
    let app = open(config).await?;
    match verb {
        UserVerb::List { business, json } => list(&app, business.as_deref(), json).await?,
        UserVerb::ResetPassword { email, json } => reset_password(&app, &email, json).await?,
        UserVerb::SignOut { email, json } => sign_out(&app, &email, json).await?,
        UserVerb::Invite { email, role, business, json } => {
            invite(&app, &email, role, business.as_deref(), json).await?;
        }
    }
    app.db.close().await;
    Ok(())
}

/// A person with the businesses they are in.
struct Person {
    row: PersonRow,
    memberships: Vec<(String, String, String)>,
}

async fn list(app: &App, wanted: Option<&str>, as_json: bool) -> Result<(), Refusal> {
    let mut conn = app.db.read().await?;
    let only = match wanted {
        Some(id) => Some(business(&mut conn, Some(id)).await?.public_id),
        None => None,
    };
    let mut people: Vec<Person> = Vec::new();
    for row in users::everybody(&mut conn, app.clock.now()).await? {
        let membership = row.business.clone().zip(row.business_name.clone()).zip(row.role.clone());
        if people.last().is_none_or(|last| last.row.id != row.id) {
            people.push(Person { row, memberships: Vec::new() });
        }
        let last = people.last_mut().map(|person| &mut person.memberships);
        last.into_iter()
            .for_each(|memberships| memberships.extend(membership.clone().map(|((id, name), role)| (id, name, role))));
    }
    if let Some(only) = &only {
        people.retain(|person| person.memberships.iter().any(|(id, ..)| id == only));
    }
    if as_json {
        let one = |p: &Person| {
            let shown = |(id, name, role): &(String, String, String)| json!({ "id": id, "name": name, "role": role });
            json!({
                "email": p.row.email,
                "name": p.row.name,
                "businesses": p.memberships.iter().map(shown).collect::<Vec<_>>(),
                "sessions": p.row.sessions,
                "created_at": instant(p.row.created_at),
            })
        };
        return print_json(&json!({ "users": people.iter().map(one).collect::<Vec<_>>() }));
    }
    let line = |p: &Person| {
        let memberships = p.memberships.iter().map(|(id, name, role)| format!("{role} of {name} ({id})"));
        let memberships = memberships.collect::<Vec<_>>().join(", ");
        let memberships = if memberships.is_empty() { "in no business".to_owned() } else { memberships };
        vec![p.row.email.clone(), p.row.name.clone(), p.row.sessions.to_string(), memberships]
    };
    print_table(&["e-mail", "name", "sessions", "roles"], &people.iter().map(line).collect::<Vec<_>>());
    Ok(())
}

/// The user with this address: their id and name.
async fn known(app: &App, email: &str) -> Result<(i64, Vec<String>), Refusal> {
    let nobody = || Refusal::unusable(format!("nobody signs in as {email}; `refdesk user list` names everybody"));
    let key = Email::parse(email).map_err(|why| Refusal::unusable(format!("the e-mail address {why}")))?;
    let mut conn = app.db.read().await?;
    let id = users::id_by_email(&mut conn, key.key()).await?.ok_or_else(nobody)?;
    let user = users::find(&mut conn, id).await?.ok_or_else(nobody)?;
    let mut about = vec![user.email, user.name];
    about.extend(crate::business::of_user(&mut conn, id).await?.into_iter().map(|(_, name)| name));
    Ok((id, about))
}

async fn reset_password(app: &App, email: &str, as_json: bool) -> Result<(), Refusal> {
    let (id, about) = known(app, email).await?;
    let password = read_password()?;
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    Passwords::judge_for(&password, &about)
        .map_err(|why| Refusal::unusable(format!("the password on standard input {why}")))?;
    let hash = app.passwords.hash(password).await;
    let hash = hash.ok_or_else(|| Refusal::unusable("the password could not be hashed"))?;
    let ended = users::reset_password(app, &actor("user reset-password"), id, hash).await?;
    print(email, "has the new password", &ended, as_json)
}

async fn sign_out(app: &App, email: &str, as_json: bool) -> Result<(), Refusal> {
    let (id, _) = known(app, email).await?;
    let ended = users::sign_out(app, &actor("user sign-out"), id).await?;
    print(email, "is signed out", &ended, as_json)
}

fn print(email: &str, became: &str, ended: &Ended, as_json: bool) -> Result<(), Refusal> {
    if as_json {
        return print_json(
            &json!({ "email": email, "sessions_ended": ended.sessions, "businesses": ended.businesses }),
        );
    }
    let sessions = match ended.sessions {
        0 => "No session was open.".to_owned(),
        1 => "One session was ended.".to_owned(),
        n => format!("{} sessions were ended.", counted(i64::try_from(n).unwrap_or(i64::MAX))),
    };
    say!("{email} {became}. {sessions}");
    Ok(())
}

async fn invite(app: &App, email: &str, role: Role, wanted: Option<&str>, as_json: bool) -> Result<(), Refusal> {
    let address = Email::parse(email).map_err(|why| Refusal::unusable(format!("the e-mail address {why}")))?;
    let business = business(&mut app.db.read().await?, wanted).await?;
    match team::invite(app, &actor("user invite"), business.id, address, role).await? {
        Invited::Member { name } => Err(Refusal::unusable(format!("{name} is in {} already", business.name))),
        Invited::Token(token) => {
            let link = format!("{}/invitation/{token}", app.config.public_url);
            if as_json {
                let (id, role) = (business.public_id, role.word());
                return print_json(&json!({ "email": email, "role": role, "business": id, "link": link }));
            }
            eprintln!(
                "Give this link to {email}: it makes them {} of {} within {} days.",
                role.word(),
                business.name,
                team::INVITATION_DAYS
            );
            say!("{link}");
            Ok(())
        }
    }
}
