//! Makes a call without storing it: the real router, the real handlers and the real database, in a rehearsal
//! that is undone before the answer is looked at. [`compare`] says what differs from the documented shape.

pub mod compare;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, header};
use axum::middleware;
use axum::response::Response;
use tower::ServiceExt as _;

use crate::api::signpost;
use crate::app::App;
use crate::db::{DbError, DbResult, Tx};
use crate::id;
use crate::keys::publishable::{self, NewPublishable};
use crate::keys::{self, NewKey};
use crate::web::bounds::{self, Bounds};
use crate::web::layers::RequestId;

/// The time a trial may take, since on SQLite all writers wait meanwhile. It is shorter than a write waits
/// for its turn.
const HOLD: Duration = Duration::from_millis(1_500);
/// Ids drawn for a trial; a large batch takes more in the rehearsal itself.
const IDS: usize = 200;
/// The most of an answer that is looked at.
const LARGEST: usize = 1024 * 1024;

/// A call to try, without its key.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
}

/// The answer that would be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Headers of an answer that say something.
const WORTH: [&str; 10] = [
    "content-type",
    "location",
    "retry-after",
    "www-authenticate",
    "allow",
    "etag",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "idempotency-replayed",
];

/// Tries a call as a business, with all that a key of its may do.
pub async fn run(app: &App, business_id: i64, test: bool, asked: &Asked) -> DbResult<Trial> {
    let ids = app.ids.run(IDS).await?;
    let rehearsal = app.db.rehearse().await?;
    let dry = app.rehearsing(rehearsal.db(), ids);
    let tried = tokio::time::timeout(HOLD, answer(&dry, business_id, test, asked)).await;
    rehearsal.end().await;
    tried.unwrap_or_else(|_| Err(DbError::Unavailable("the trial took too long".into())))
}

async fn answer(dry: &App, business_id: i64, test: bool, asked: &Asked) -> DbResult<Trial> {
    let key = key_for(dry, business_id, test, &asked.target).await?;
    let fault = |why: String| DbError::Fault(why);
    let method = Method::from_bytes(asked.method.as_bytes()).map_err(|e| fault(e.to_string()))?;
    let mut request = Request::builder().method(method).uri(&asked.target);
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    let body = asked.body.clone().unwrap_or_default();
    let request = request
        .extension(RequestId("the-request-id".into()))
        .body(Body::from(body))
        .map_err(|e| fault(e.to_string()))?;
    let bounds = Bounds { patience: HOLD, largest: dry.config.upload_limit, in_words: super::in_words };
    let router = super::router(dry)
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(bounds, bounds::keep))
        .with_state(dry.clone())
        .layer(middleware::from_fn_with_state(super::strays(dry), signpost::meet));
    let Ok(response) = router.oneshot(request).await;
    read(response).await
}

/// A key that is there for this call only.
async fn key_for(dry: &App, business_id: i64, test: bool, target: &str) -> DbResult<String> {
    let id = dry.ids.next().await?;
    if target.starts_with("/v1/public/") {
        let text = id::new_publishable_key(&mut rand::rng());
        let name = "A trial".to_owned();
        let key = NewPublishable { id, business_id, name, text: text.clone(), origins: Vec::new(), created_by: None };
        dry.db.write(vec![], key, insert_publishable).await?;
        return Ok(text);
    }
    let text = id::new_api_key(!test, &mut rand::rng());
    let key = NewKey::full(id, business_id, "A trial", &text, None);
    dry.db.write(vec![], key, insert).await?;
    Ok(text)
}

async fn insert_publishable(tx: &mut Tx, key: &NewPublishable) -> DbResult<()> {
    let now = tx.now();
    publishable::insert(tx, key, now).await
}

async fn insert(tx: &mut Tx, key: &NewKey) -> DbResult<()> {
    let now = tx.now();
    keys::insert(tx, key, now).await
}

async fn read(response: Response) -> DbResult<Trial> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST).await.map_err(|e| DbError::Fault(e.to_string()))?;
    let worth = |name: &str| WORTH.contains(&name) || name.starts_with("x-ratelimit");
    let headers = parts.headers.iter().filter(|(name, _)| worth(name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
    Ok(Trial {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: pretty(&String::from_utf8_lossy(&bytes)),
    })
}

/// JSON over several lines, number for number as it was sent; other text as it is.
pub fn pretty(text: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let (mut out, mut depth, mut in_text, mut chars) = (String::new(), 0_usize, false, text.chars().peekable());
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            match c {
                '\\' => out.extend(chars.next()),
                '"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::pretty;

    #[test]
    fn json_is_laid_out_and_numbers_stay() {
        let text = r#"{"a":20.00,"b":[],"c":{ },"d":[1,"x, \"{y}"],"e":null}"#;
        let expected = "{\n  \"a\": 20.00,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    1,\n    \"x, \\\"{y}\"\n  ],\n  \"e\": null\n}";
        assert_eq!(pretty(text), expected);
        assert_eq!(pretty("no json, {"), "no json, {");
        assert_eq!(pretty(""), "");
    }

    proptest! {
        #[test]
        fn what_is_laid_out_is_the_same(text in "\\PC{0,40}|[\\[\\]{}\",:0-9 \\\\]{0,20}") {
            let of = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            prop_assert_eq!(of(&pretty(&text)), of(&text));
            let object = serde_json::json!({ text.clone(): [text, {}], "n": [[]] }).to_string();
            prop_assert_eq!(of(&pretty(&object)), of(&object));
        }
    }
}
