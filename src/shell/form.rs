//! A form as it arrives, before it is known whether it acts.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::query::pairs;
use crate::web::page::own_path;
use crate::web::stamp::{FIELD, Stamp};
use crate::web::{Fault, bounds};

/// The largest form that is read here.
const MOST: usize = 512 * 1024;

/// The address of a page that answers a form.
pub const SHOWN: &str = "/shown/";

/// The way in which a route takes a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A button, or a form with a file: there is nothing to fill in again.
    Deed,
    /// A form that shows itself again with what was typed.
    Form,
}

/// A request whose body was read, unless it is an upload.
pub struct Posted {
    pub parts: Parts,
    /// `None` for an upload.
    pub text: Option<Bytes>,
    pub takes: Takes,
}

impl Posted {
    /// The request without its body, and the body to pass on.
    pub async fn read(request: Request, takes: Takes) -> Result<(Self, Body), Fault> {
        let (parts, body) = request.into_parts();
        if is_upload(&parts.headers) {
            return Ok((Self { parts, text: None, takes }, body));
        }
        let text = to_bytes(body, MOST).await.map_err(|error| match bounds::is_slow(&error) {
            true => Fault::Slow,
            false => Fault::TooLarge("The form is too large.".into()),
        })?;
        let body = Body::from(text.clone());
        Ok((Self { parts, text: Some(text), takes }, body))
    }

    /// The first value of a field.
    fn value(&self, name: &str) -> Option<String> {
        let text = match &self.text {
            Some(text) => String::from_utf8_lossy(text).into_owned(),
            None => self.parts.uri.query().unwrap_or_default().to_owned(),
        };
        pairs(&text).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn stamp(&self) -> Option<Stamp> {
        self.value(FIELD).and_then(|text| Stamp::parse(&text))
    }

    pub fn address(&self) -> &str {
        self.parts.uri.path_and_query().map_or("/", |p| p.as_str())
    }

    /// The page with the form, as the browser names it.
    pub fn page(&self) -> Option<String> {
        page_of(&self.parts.headers)
    }

    pub fn is_by_script(&self) -> bool {
        is_by_script(&self.parts.headers)
    }
}

fn is_upload(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"))
}

/// True for a request that a page's script makes.
pub fn is_by_script(headers: &HeaderMap) -> bool {
    headers.get("x-requested-with").is_some_and(|by| by == "fetch")
}

/// The path of the page that a request came from. Other sites send none: they are refused before.
pub fn page_of(headers: &HeaderMap) -> Option<String> {
    let from = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = from.split_once("://")?;
    let path = rest.split_once('/').map(|(_, path)| format!("/{path}"))?;
    let own = own_path(&path, "");
    // A page that answered a form is over once it has been seen.
    (!own.is_empty() && !own.starts_with(SHOWN)).then(|| own.to_owned())
}
