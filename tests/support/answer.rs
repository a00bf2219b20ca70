//! The answer of a server, read the way a person or a program reads it.

use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};

use super::Visitor;

/// An answer with its whole body. Pages are asked by CSS selector.
#[derive(Clone)]
pub struct Answer {
    /// The request, for messages.
    pub asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    pub bytes: Vec<u8>,
    pub visitor: Visitor,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {} {:?}\n{}", self.asked, self.status, self.header("location"), self.body)
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|_| panic!("{text:?} is no selector"))
}

fn text_of(element: ElementRef<'_>) -> String {
    words(&element.text().collect::<String>())
}

impl Answer {
    /// The status must be this one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert!(self.status == status, "{status} was expected: {self:?}");
        self
    }

    /// A redirect to this path (and query). Lists are led to with their campaign: a path that names none is any's.
    #[track_caller]
    pub fn goes_to(self, path: &str) -> Self {
        let to = if path.contains("campaign=") { self.header("location").to_owned() } else { self.leads_to() };
        assert!(self.status == 303 && to == path, "a redirect to {path} was expected: {self:?}");
        self
    }

    /// The address of the redirect, without its campaign.
    fn leads_to(&self) -> String {
        let (address, place) = self.header("location").split_once('#').unwrap_or((self.header("location"), ""));
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let rest: Vec<&str> = query.split('&').filter(|p| !p.is_empty() && !p.starts_with("campaign=")).collect();
        let joint = |mark: &str, text: &str| if text.is_empty() { String::new() } else { format!("{mark}{text}") };
        format!("{path}{}{}", joint("?", &rest.join("&")), joint("#", place))
    }

    /// Asks where the redirect leads.
    pub async fn follow(self) -> Self {
        assert!(self.status == 303, "a redirect was expected: {self:?}");
        let location = self.header("location").to_owned();
        self.visitor.get(&location).await
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    /// The texts of all elements that match.
    pub fn texts(&self, css: &str) -> Vec<String> {
        Html::parse_document(&self.body).select(&selector(css)).map(text_of).collect()
    }

    /// The text of the first element that matches.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        self.texts(css).into_iter().next().unwrap_or_else(|| panic!("no {css} in {self:?}"))
    }

    pub fn has(&self, css: &str) -> bool {
        self.count(css) > 0
    }

    pub fn count(&self, css: &str) -> usize {
        Html::parse_document(&self.body).select(&selector(css)).count()
    }

    /// An attribute of every element that matches and has it.
    pub fn attrs(&self, css: &str, name: &str) -> Vec<String> {
        let page = Html::parse_document(&self.body);
        page.select(&selector(css)).filter_map(|e| e.attr(name)).map(str::to_owned).collect()
    }

    /// An attribute of the first element that matches.
    #[track_caller]
    pub fn attr(&self, css: &str, name: &str) -> String {
        self.attrs(css, name).into_iter().next().unwrap_or_else(|| panic!("no {css} with {name} in {self:?}"))
    }

    /// The value of a form's field.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        self.attr(&format!("input[name=\"{name}\"]"), "value")
    }

    /// The message beside a field; empty when it is fine.
    pub fn error_at(&self, field: &str) -> String {
        self.texts(&format!("#e-{field}")).into_iter().next().unwrap_or_default()
    }

    /// The message of the last action.
    pub fn flash(&self) -> String {
        self.texts(".flash p").join(" ")
    }

    /// The main part of the page as plain words.
    pub fn words(&self) -> String {
        self.texts("main").join(" ")
    }

    /// The page says this somewhere.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.words().contains(text), "{text:?} was expected: {self:?}");
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.words().contains(text), "{text:?} was not expected: {self:?}");
        self
    }
}
