//! A chosen code, a rename, a code that is retired or comes back. Whatever an enrollment has had stays:
//! the old text becomes an alias and still attributes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store::{self, CodeRow, NewCode};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::code::{self, CodeError};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

/// The outcome of choosing a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chosen {
    /// It is the active one now; `was` is the one that became an alias.
    Set {
        code_id: i64,
        text: String,
        was: Option<String>,
    },
    /// It is the active one already, letter by letter.
    Same,
    #[serde(skip)]
    Invalid(CodeError),
    /// Another referrer's code reads the same; it may be a retired one.
    Taken {
        text: String,
        name: String,
        state: String,
    },
    Archived,
    NotFound,
}

/// Makes a text that people chose the active code of an enrollment.
pub async fn choose(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    enrollment_id: i64,
    text: &str,
) -> DbResult<Chosen> {
    let text = match code::parse_custom(text) {
        Ok(text) => text,
        Err(why) => return Ok(Chosen::Invalid(why)),
    };
    let keys = vec![Key::Enrollment(enrollment_id)];
    core.write_once(keys, actor, (business_id, enrollment_id, text), choose_in).await
}

async fn choose_in(tx: &mut Tx, &(business_id, enrollment_id, ref text): &(i64, i64, String)) -> DbResult<Chosen> {
    let (id, now) = (tx.id()?, tx.now());
    let Some(owner) = store::enrollment(tx, business_id, enrollment_id).await? else { return Ok(Chosen::NotFound) };
    if owner.archived {
        return Ok(Chosen::Archived);
    }
    let new = NewCode::custom(id, &owner.enrolled(), text.clone());
    let alike = store::reads_like(tx, business_id, &new.lookup, &new.repaired).await?;
    let own = alike.iter().find(|c| c.enrollment_id == enrollment_id && c.lookup == new.lookup);
    if let Some(other) = alike.iter().find(|c| own.is_none_or(|own| own.id != c.id)) {
        let (text, name, state) = (other.text.clone(), other.name.clone(), other.state.clone());
        return Ok(Chosen::Taken { text, name, state });
    }
    let active = store::active(tx, &[enrollment_id]).await?.pop();
    let code_id = match own {
        Some(own) if own.state == "active" && own.text == new.text => return Ok(Chosen::Same),
        Some(own) => {
            retreat(tx, active.as_ref().filter(|a| a.id != own.id)).await?;
            store::set_text(tx, own.id, &new.text).await?;
            store::set_state(tx, own.id, "active").await?;
            own.id
        }
        None => {
            retreat(tx, active.as_ref()).await?;
            store::insert(tx, &new, now).await?;
            id
        }
    };
    store::note_whether_coded(tx, enrollment_id).await?;
    let was = active.map(|a| a.text);
    let action = if was.is_some() { "code.renamed" } else { "code.chosen" };
    let entry = NewEntry::by(tx, business_id, action, ("code", code_id))?
        .before(json!({ "code": was }))
        .after(json!({ "code": new.text }))
        .of_referrer(owner.referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Chosen::Set { code_id, text: new.text, was })
}

/// The active code makes room: it becomes an alias.
async fn retreat(tx: &mut Tx, active: Option<&CodeRow>) -> DbResult<()> {
    match active {
        Some(active) => store::set_state(tx, active.id, "alias").await,
        None => Ok(()),
    }
}

/// The states of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeState {
    Active,
    Alias,
    Retired,
}

impl CodeState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Alias => "alias",
            Self::Retired => "retired",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Alias, Self::Retired].into_iter().find(|s| s.word() == word)
    }
}

/// The outcome of moving a code to another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// `was` is the state it had, for an undo.
    Done {
        text: String,
        was: CodeState,
    },
    Already {
        text: String,
    },
    /// The active code becomes an alias only when another one takes its place.
    NeedsAnother,
    Archived,
    NotFound,
}

/// Retires a code, or brings one back: as the active one (the one it replaces becomes an alias) or as
/// an alias.
pub async fn move_to(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    code_id: i64,
    to: CodeState,
) -> DbResult<Moved> {
    // A code never changes owners, so its enrollment may be read before the lock.
    let Some(code) = store::by_id(&mut core.db.read().await?, business_id, code_id).await? else {
        return Ok(Moved::NotFound);
    };
    let keys = vec![Key::Enrollment(code.enrollment_id)];
    core.write(keys, actor, (business_id, code_id, to), move_in).await
}

async fn move_in(tx: &mut Tx, &(business_id, code_id, to): &(i64, i64, CodeState)) -> DbResult<Moved> {
    let Some(code) = store::by_id(tx, business_id, code_id).await? else { return Ok(Moved::NotFound) };
    let was = CodeState::parse(&code.state).unwrap_or(CodeState::Retired);
    if was == to {
        return Ok(Moved::Already { text: code.text });
    }
    match (was, to) {
        (CodeState::Active, CodeState::Alias) => return Ok(Moved::NeedsAnother),
        (_, CodeState::Active | CodeState::Alias) if code.archived => return Ok(Moved::Archived),
        (_, CodeState::Active) => {
            let active = store::active(tx, &[code.enrollment_id]).await?.pop();
            retreat(tx, active.as_ref()).await?;
        }
        _ => {}
    }
    store::set_state(tx, code_id, to.word()).await?;
    store::note_whether_coded(tx, code.enrollment_id).await?;
    let action = if to == CodeState::Retired { "code.retired" } else { "code.restored" };
    let entry = NewEntry::by(tx, business_id, action, ("code", code_id))?
        .before(json!({ "code": code.text, "state": was.word() }))
        .after(json!({ "code": code.text, "state": to.word() }))
        .of_referrer(code.referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Moved::Done { text: code.text, was })
}
