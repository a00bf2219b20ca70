//! A message shown once, on the next page.

use askama::Template;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::error::Fault;
use super::stamp::Stamp;

/// Said once, on the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flash {
    /// good, bad, info or warning
    pub kind: String,
    pub text: String,
    pub undo: Option<Undo>,
    /// The next thing to do: its page and its words.
    #[serde(default)]
    pub next: Option<(String, String)>,
}

impl Flash {
    pub fn good(text: impl Into<String>) -> Self {
        Self { kind: "good".into(), text: text.into(), undo: None, next: None }
    }
    pub fn bad(text: impl Into<String>) -> Self {
        Self { kind: "bad".into(), text: text.into(), undo: None, next: None }
    }
    pub fn info(text: impl Into<String>) -> Self {
        Self { kind: "info".into(), text: text.into(), undo: None, next: None }
    }
    /// With a link to what comes next.
    pub fn next(mut self, to: impl Into<String>, words: impl Into<String>) -> Self {
        self.next = Some((to.into(), words.into()));
        self
    }
    pub fn undo(mut self, action: impl Into<String>, label: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.undo = Some(Undo { action: action.into(), label: label.into(), fields });
        self
    }
}

/// A small form that takes back what the flash reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub label: String,
    pub fields: Vec<(String, String)>,
}

/// The message about the last action, on the page that shows it.
#[derive(Template)]
#[template(path = "ui/flashes.html")]
pub struct Flashes<'f> {
    pub items: &'f [Flash],
    /// For the forms that take something back.
    pub stamp: Option<&'f Stamp>,
}

/// Stores a flash for the next page.
pub async fn flash_on(session: &Session, flash: Flash) -> Result<(), Fault> {
    let mut flashes: Vec<Flash> = session.get("flash").await?.unwrap_or_default();
    flashes.push(flash);
    session.insert("flash", flashes).await?;
    Ok(())
}

/// Takes the session's messages, for this page.
pub async fn take_flashes(session: &Session) -> Result<Vec<Flash>, Fault> {
    if session.get_value("flash").await?.is_none() {
        return Ok(Vec::new());
    }
    Ok(session.remove("flash").await?.unwrap_or_default())
}
