//! The parts of every page: choices, the frame of pages without a signed-in person, the answer itself.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use tower_sessions::Session;

use super::assets;
use super::error::{Fault, PageResult};
use super::flash::{Flash, Flashes, take_flashes};
use crate::money::Currency;
use crate::places::{self, Country};

/// One entry of a select or radio group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

impl Choice {
    /// Choices from (value, label) pairs, the one that is chosen marked.
    pub fn list<V: ToString, L: ToString>(all: impl IntoIterator<Item = (V, L)>, chosen: &str) -> Vec<Self> {
        all.into_iter()
            .map(|(value, label)| {
                let value = value.to_string();
                Self { selected: value == chosen, value, label: label.to_string() }
            })
            .collect()
    }

    /// Choices of which any number is chosen.
    pub fn many<'c, L: ToString>(
        all: impl IntoIterator<Item = (&'static str, L)>,
        chosen: impl Iterator<Item = &'c str> + Clone,
    ) -> Vec<Self> {
        let choice = |(value, label): (&'static str, L)| Self {
            selected: chosen.clone().any(|one| one == value),
            value: value.to_owned(),
            label: label.to_string(),
        };
        all.into_iter().map(choice).collect()
    }
}

/// Choices under a heading.
#[derive(Debug, Clone)]
pub struct Group {
    pub label: String,
    pub choices: Vec<Choice>,
}

/// The time zones by region, with the chosen one wherever it is no longer listed.
pub fn zones(chosen: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut is_there = false;
    for region in places::regions() {
        let choices = Choice::list(region.zones, if is_there { "" } else { chosen });
        is_there |= choices.iter().any(|choice| choice.selected);
        groups.push(Group { label: region.name.to_owned(), choices });
    }
    if !is_there && !chosen.is_empty() {
        groups.insert(0, Group { label: "Now".to_owned(), choices: Choice::list([(chosen, chosen)], chosen) });
    }
    groups
}

/// The names that the fields of country and currency offer.
#[derive(Template)]
#[template(path = "ui/places.html")]
pub struct Places;

impl Places {
    fn countries(&self) -> &'static [Country] {
        places::countries()
    }

    fn currencies(&self) -> Vec<Currency> {
        places::currencies()
    }
}

/// The data that `bare.html` shows around a page without a signed-in person.
#[derive(Debug, Clone)]
pub struct BareFrame {
    pub css_url: &'static str,
    pub js_url: &'static str,
    pub icon_url: &'static str,
    pub theme: &'static str,
    pub flashes: Vec<Flash>,
}

impl BareFrame {
    pub fn new() -> Self {
        let (css_url, js_url, icon_url) = assets::urls();
        Self { css_url, js_url, icon_url, theme: "auto", flashes: Vec::new() }
    }

    /// With what the session has to say.
    pub async fn of(session: &Session) -> Result<Self, Fault> {
        Ok(Self { flashes: take_flashes(session).await?, ..Self::new() })
    }

    pub fn sprite(&self) -> Sprite {
        Sprite
    }

    pub fn flashes(&self) -> Flashes<'_> {
        Flashes { items: &self.flashes, stamp: None }
    }
}

/// Every icon.
#[derive(Template)]
#[template(path = "ui/sprite.html")]
pub struct Sprite;

impl Default for BareFrame {
    fn default() -> Self {
        Self::new()
    }
}

/// Only a path of ours is ever redirected to: one slash, then no second slash or backslash, no controls.
pub fn own_path<'p>(to: &'p str, otherwise: &'p str) -> &'p str {
    let fine = to.starts_with('/')
        && !to[1..].starts_with(['/', '\\'])
        && !to.contains('\\')
        && to.len() < 2_000
        && to.chars().all(|c| !c.is_control() && c.is_ascii());
    if fine { to } else { otherwise }
}

/// A template as an answer.
pub fn html(page: &impl Template) -> PageResult {
    Ok(Html(page.render()?).into_response())
}

/// Marks an answer that shows a secret: it is shown once.
#[derive(Debug, Clone, Copy)]
pub struct ShownOnce;

/// A template as an answer that is shown once.
pub fn html_once(page: &impl Template) -> PageResult {
    let mut response = html(page)?;
    response.extensions_mut().insert(ShownOnce);
    Ok(response)
}

/// A template as an answer with another status: 422 for a form with errors.
pub fn html_with(status: StatusCode, page: &impl Template) -> PageResult {
    Ok((status, Html(page.render()?)).into_response())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_own_paths_are_followed() {
        for to in
            ["//evil.example", "/\\evil", "https://evil", "javascript:alert(1)", "", "/a\r\nb", "\\\\evil", "/a\\b"]
        {
            assert_eq!(own_path(to, "/"), "/", "{to:?}");
        }
        for to in ["/", "/leads?status=new#lead_4", "/%2f%2fevil"] {
            assert_eq!(own_path(to, "/x"), to);
        }
    }
}
