//! The messages about one payment: those with a common id, and those with an id in common with them.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::clock::Instant;
use crate::db::{Conn, DbResult};
use crate::providers::message;
use crate::providers::provider::Provider;
use crate::providers::store::codes;
use crate::providers::store::messages::{self, MessageRow, Role, State};
use crate::providers::told::{Fact, Hint, Told};

/// Messages of one payment, at most: a hostile sender may chain any number.
const MOST: i64 = 60;
/// The steps from id to id.
const STEPS: usize = 6;

pub struct Group {
    /// The message that is applied, and all that are about the same payment.
    pub messages: Vec<(MessageRow, Told)>,
    /// The ids of the payment, as the engine stores them.
    pub names: BTreeSet<String>,
    /// Why the message that is applied cannot be read.
    pub unreadable: Option<String>,
    /// There may be more messages about the payment.
    pub is_cut: bool,
}

/// Reads a stored message.
pub fn read(provider: Provider, row: &MessageRow) -> Result<Told, String> {
    let json: Json = serde_json::from_str(&row.body).map_err(|error| format!("It is not JSON: {error}."))?;
    message::read(provider, &json, Instant::from_micros(row.happened_at))
}

impl Group {
    pub async fn of(conn: &mut Conn, provider: Provider, first: MessageRow) -> DbResult<Self> {
        let account_id = first.account_id;
        let mut group = Self::alone(provider, first);
        group.widen(conn, provider, account_id).await?;
        Ok(group)
    }

    /// One message by itself.
    pub fn alone(provider: Provider, first: MessageRow) -> Self {
        let (told, unreadable) = match read(provider, &first) {
            Ok(told) => (told, None),
            Err(why) => (Told::default(), Some(why)),
        };
        let names = told.names.iter().map(ToString::to_string).collect();
        Self { names, messages: vec![(first, told)], unreadable, is_cut: false }
    }

    /// Both together: they have an id in common.
    pub fn with(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self.names.extend(other.names);
        self.unreadable = self.unreadable.or(other.unreadable);
        self.is_cut |= other.is_cut;
        self
    }

    /// Takes in the stored messages that have an id in common with it.
    pub async fn widen(&mut self, conn: &mut Conn, provider: Provider, account_id: i64) -> DbResult<()> {
        for _ in 0..STEPS {
            if self.names.is_empty() {
                break;
            }
            let names: Vec<String> = self.names.iter().cloned().collect();
            let before = self.messages.len();
            let rows = messages::mentioning(conn, account_id, Role::Names, &names, MOST).await?;
            self.is_cut |= i64::try_from(rows.len()).is_ok_and(|count| count >= MOST);
            for row in rows {
                if self.messages.iter().any(|(known, _)| known.id == row.id) {
                    continue;
                }
                // One that cannot be read says so itself, and nothing here.
                let told = read(provider, &row).unwrap_or_default();
                self.names.extend(told.names.iter().map(ToString::to_string));
                self.messages.push((row, told));
            }
            if self.messages.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// True where a message that is not applied yet says such a thing.
    pub fn brings(&self, says: impl Fn(&Fact) -> bool) -> bool {
        let new = self.messages.iter().filter(|(row, _)| row.state == State::New);
        new.flat_map(|(_, told)| &told.facts).any(says)
    }

    pub fn told(&self) -> impl Iterator<Item = &Told> {
        self.messages.iter().map(|(_, told)| told)
    }
}

/// The facts that other messages have about an id, the newest of those read first.
async fn explained(conn: &mut Conn, provider: Provider, account_id: i64, id: &str) -> DbResult<Vec<Fact>> {
    let rows = messages::mentioning(conn, account_id, Role::Explains, &[id.to_owned()], MOST).await?;
    Ok(rows.iter().rev().filter_map(|row| read(provider, row).ok()).flat_map(|told| told.facts).collect())
}

/// The e-mail address and name of a customer, as another message has them.
pub async fn customer(
    conn: &mut Conn,
    provider: Provider,
    account_id: i64,
    id: &str,
) -> DbResult<Option<(String, Option<String>)>> {
    let facts = explained(conn, provider, account_id, id).await?;
    Ok(facts.into_iter().find_map(|fact| match fact {
        Fact::Customer { id: of, email: Some(email), name } if of == id => Some((email, name)),
        _ => None,
    }))
}

/// The text of a promotion code, or the id that has to be explained first.
pub async fn code(
    conn: &mut Conn,
    provider: Provider,
    account_id: i64,
    hint: &Hint,
) -> DbResult<Result<String, String>> {
    let mut hint = hint.clone();
    for _ in 0..2 {
        match hint {
            Hint::Code(text) | Hint::Maybe(text) => return Ok(Ok(text)),
            Hint::Promotion(id) => {
                if let Some(text) = codes::text_of(conn, account_id, &id).await? {
                    return Ok(Ok(text));
                }
                let facts = explained(conn, provider, account_id, &id).await?;
                let text = facts.into_iter().find_map(|fact| match fact {
                    Fact::Code { id: of, text } if of == id => Some(text),
                    _ => None,
                });
                return Ok(text.ok_or(id));
            }
            Hint::Discount(id) => {
                let facts = explained(conn, provider, account_id, &id).await?;
                let found = facts.into_iter().find_map(|fact| match fact {
                    Fact::Discount { id: of, code } if of == id => Some(code),
                    _ => None,
                });
                match found {
                    Some(code) => hint = code,
                    None => return Ok(Err(id)),
                }
            }
        }
    }
    Ok(Err(String::new()))
}
