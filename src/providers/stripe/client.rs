//! Stripe's API: the few calls that Refdesk makes. Forms go out as Stripe reads them (`a[b]=c`, lists with indexes),
//! each POST with a key under which Stripe does it once.

use std::sync::LazyLock;
use std::time::Duration;

use rand::RngExt as _;
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;

use super::VERSION;
use crate::providers::read::text;

/// A call is given up after this.
const PATIENCE: Duration = Duration::from_secs(20);
/// The tries of a call that Stripe did not answer, or was too busy for.
const TRIES: u32 = 4;

/// Calls a second of work in the background: Stripe allows an account 25, of which a shop needs its own.
pub const CALLS_A_SECOND: u64 = 15;

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Stripe does not know the key.
    BadKey(String),
    /// The key lacks a right: its name, where Stripe said it.
    NoRight { right: Option<String>, message: String },
    /// Stripe refused what was asked for.
    Refused { status: u16, code: Option<String>, message: String },
    /// There was no answer, or none that can be read: to be tried again later.
    Unreachable(String),
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadKey(message) => write!(f, "Stripe does not know this key: {message}"),
            Self::NoRight { right: Some(right), .. } => {
                write!(f, "The key lacks the right {right}. Add it to the key at Stripe, or make another key.")
            }
            Self::NoRight { message, .. } | Self::Refused { message, .. } => write!(f, "Stripe says: {message}"),
            Self::Unreachable(why) => write!(f, "Stripe could not be reached: {why}"),
        }
    }
}

impl std::error::Error for ApiError {}

/// One account's way to the API.
#[derive(Clone)]
pub struct Client {
    base: String,
    key: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.base)
    }
}

static HTTP: LazyLock<Result<reqwest::Client, String>> = LazyLock::new(|| {
    crate::tls::install();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("Refdesk/", env!("CARGO_PKG_VERSION")));
    builder.build().map_err(|error| error.to_string())
});

/// The parameters of a call.
pub type Form = Vec<(String, String)>;

impl Client {
    /// `base` is the address of the API, without a slash at its end.
    pub fn new(base: &str, key: &str) -> Self {
        Self { base: base.to_owned(), key: key.to_owned() }
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Json, ApiError> {
        self.send(&Method::GET, path, &owned(query), None).await
    }

    /// Asks for something once: the same key again gets the same answer.
    pub async fn post(&self, path: &str, form: &Form, once: &str) -> Result<Json, ApiError> {
        self.send(&Method::POST, path, form, Some(once)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Json, ApiError> {
        self.send(&Method::DELETE, path, &Vec::new(), None).await
    }

    async fn send(&self, method: &Method, path: &str, form: &Form, once: Option<&str>) -> Result<Json, ApiError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(method, path, form, once).await {
                Err((error, true)) if tries < TRIES => {
                    tracing::debug!(%error, path, tries, "a call to Stripe is tried again");
                    let longest = 500_u64 << tries.min(4);
                    let pause = rand::rng().random_range(longest / 2..=longest).min(5_000);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err((error, _)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    /// The answer, or the fault and whether trying again may help.
    async fn try_once(
        &self,
        method: &Method,
        path: &str,
        form: &Form,
        once: Option<&str>,
    ) -> Result<Json, (ApiError, bool)> {
        let http = HTTP.as_ref().map_err(|why| (ApiError::Unreachable(why.clone()), false))?;
        let encoded = serde_urlencoded::to_string(form).map_err(|e| (ApiError::Unreachable(e.to_string()), false))?;
        let mut url = format!("{}{path}", self.base);
        let sends_body = *method == Method::POST;
        if !sends_body && !encoded.is_empty() {
            url = format!("{url}?{encoded}");
        }
        let mut request = http.request(method.clone(), url).bearer_auth(&self.key).header("Stripe-Version", VERSION);
        if sends_body {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(encoded);
        }
        if let Some(once) = once {
            request = request.header("Idempotency-Key", once);
        }
        let answer = request.send().await.map_err(|error| (ApiError::Unreachable(why(&error)), true))?;
        let status = answer.status();
        let told = answer.headers().get("Stripe-Should-Retry").and_then(|v| v.to_str().ok().map(|v| v == "true"));
        let body = answer.text().await.map_err(|error| (ApiError::Unreachable(why(&error)), true))?;
        let json: Option<Json> = serde_json::from_str(&body).ok();
        match (status.is_success(), json) {
            (true, Some(json)) => Ok(json),
            (true, None) => Err((ApiError::Unreachable("the answer is not JSON".into()), true)),
            (false, json) => {
                let again = status == StatusCode::CONFLICT
                    || status == StatusCode::TOO_MANY_REQUESTS
                    || status.is_server_error();
                Err((refused(status, json.as_ref()), told.unwrap_or(again)))
            }
        }
    }

    /// One page of a list, and whether there are more. A page that leads no further is no answer: whoever follows it would
    /// ask for ever, or take a part for the whole.
    pub async fn page(&self, path: &str, query: &Form, after: Option<&str>) -> Result<(Vec<Json>, bool), ApiError> {
        let mut page = query.clone();
        page.push(("limit".into(), "100".into()));
        page.extend(after.map(|id| ("starting_after".into(), id.to_owned())));
        let answer = self.send(&Method::GET, path, &page, None).await?;
        let unfit = |why: &str| Err(ApiError::Unreachable(why.to_owned()));
        let Some(data) = answer.get("data").and_then(Json::as_array).cloned() else {
            return unfit("the answer is no list");
        };
        let more = answer.get("has_more") == Some(&Json::Bool(true));
        match data.last() {
            None if more => unfit("a page of the list is empty, and is not the last one"),
            Some(last) if after.is_some() && text(last, "id").as_deref() == after => {
                unfit("a page of the list came again")
            }
            Some(last) if more && text(last, "id").is_none() => unfit("a page of the list ends without an id"),
            _ => Ok((data, more)),
        }
    }
}

fn owned(query: &[(&str, &str)]) -> Form {
    query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The innermost reason, without the address, in which a name may stand.
fn why(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    if error.is_timeout() { "it did not answer in time".into() } else { inner.to_string() }
}

fn refused(status: StatusCode, json: Option<&Json>) -> ApiError {
    let said = json
        .and_then(|json| json.pointer("/error/message")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("status {status}"));
    match status {
        StatusCode::UNAUTHORIZED => ApiError::BadKey(said),
        StatusCode::FORBIDDEN => {
            let right = said.split('\'').find(|part| part.starts_with("rak_")).map(str::to_owned);
            ApiError::NoRight { right, message: said }
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => ApiError::Unreachable(said),
        _ => {
            let code = json.and_then(|json| text(json, "error.code"));
            ApiError::Refused { status: status.as_u16(), code, message: said }
        }
    }
}
