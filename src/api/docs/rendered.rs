//! Texts that say the same to every stranger: rendered once, stored as they are and compressed, and known by a tag.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::id;

/// A text as it is sent.
pub struct Rendered {
    plain: Bytes,
    gzip: Bytes,
    tag: String,
    kind: &'static str,
}

/// By public address and path. One program has one public address.
type Known = HashMap<(String, String), Arc<Rendered>>;

static ALL: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
/// Texts in memory, at most.
const MOST: usize = 64;

/// The text of a path, rendered now if it was not yet.
pub fn once<E>(
    public_url: &str,
    path: &str,
    kind: &'static str,
    render: impl FnOnce() -> Result<String, E>,
) -> Result<Arc<Rendered>, E> {
    let key = (public_url.to_owned(), path.to_owned());
    if let Some(known) = ALL.lock().ok().and_then(|all| all.get(&key).cloned()) {
        return Ok(known);
    }
    let rendered = Arc::new(Rendered::of(render()?, kind));
    if let Ok(mut all) = ALL.lock() {
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, rendered.clone());
    }
    Ok(rendered)
}

impl Rendered {
    fn of(text: String, kind: &'static str) -> Self {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory cannot fail; without a compressed text the plain one is sent.
        let gzip = gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish()).unwrap_or_default();
        let tag = format!("\"{}\"", &id::sha256_hex(&text)[..16]);
        Self { plain: Bytes::from(text), gzip: Bytes::from(gzip), tag, kind }
    }

    /// The answer to a caller: nothing where the caller has the text, else the form it takes.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let has = |name, fits: &dyn Fn(&str) -> bool| {
            let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            lines.flat_map(|line| line.split(',')).any(|one| fits(one.trim()))
        };
        let known = has(header::IF_NONE_MATCH, &|one| one.trim_start_matches("W/") == self.tag);
        let takes = has(header::ACCEPT_ENCODING, &|one| {
            let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
            coding.trim().eq_ignore_ascii_case("gzip")
                && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        });
        let mut response = match (known, takes && !self.gzip.is_empty()) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => {
                let headers = [(header::CONTENT_TYPE, self.kind), (header::CONTENT_ENCODING, "gzip")];
                (headers, Body::from(self.gzip.clone())).into_response()
            }
            (false, false) => ([(header::CONTENT_TYPE, self.kind)], Body::from(self.plain.clone())).into_response(),
        };
        let out = response.headers_mut();
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
        if let Ok(value) = HeaderValue::from_str(&self.tag) {
            out.insert(header::ETAG, value);
        }
        response
    }
}
