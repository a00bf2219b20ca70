//! The document of all calls, for programs at `/openapi.json` and for people at `/docs`: the pages are
//! rendered from the very document that programs get.

pub mod pages;
mod print;
mod reading;
mod rendered;
mod samples;

use std::sync::LazyLock;

use serde_json::Value as Json_;

/// Stands for the public address in the document, which is made once.
const SOMEWHERE: &str = "https://desk.invalid";

static DOCUMENT: LazyLock<Json_> = LazyLock::new(|| super::openapi(SOMEWHERE));
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The document as served at an address.
fn text(public_url: &str) -> String {
    TEXT.replace(SOMEWHERE, public_url)
}
