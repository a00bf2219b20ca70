//! Bounds on a request before any handler sees it: the length of its address and headers, the time its body
//! may take. A panic of a handler is answered here as well. All answers are in the shape of the contract that
//! was called.

use std::error::Error;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::time::Instant;

use super::Fault;
use super::error::error_page;

/// The longest address, and the most that all headers may have together. The connection itself ends far
/// above both.
const ADDRESS: usize = 8 * 1024;
const HEADERS: usize = 32 * 1024;
/// Bytes that earn a body a further second.
const BYTES_A_SECOND: u64 = 16 * 1024;

/// The most of an unwanted body that is read while the answer goes out, and the time for it. A caller who sends a file
/// reads the answer only when the whole is sent; one who pauses has nothing more to say.
const HEARD: usize = 64 * 1024 * 1024;
const HEARD_FOR: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(1);

/// An answer in the words of the API that a path belongs to; `None` where people read pages.
pub type InWords = fn(path: &str, status: StatusCode, message: &'static str) -> Option<Response>;

#[derive(Clone, Copy)]
pub struct Bounds {
    /// The time a body may take, beside the time its bytes earn.
    pub patience: Duration,
    /// The largest body that any address takes.
    pub largest: u64,
    pub in_words: InWords,
}

pub async fn keep(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    if let Some((status, title, message)) = over_long(&request) {
        let in_words = (bounds.in_words)(request.uri().path(), status, message);
        return in_words.unwrap_or_else(|| error_page(status, title, message.to_owned()));
    }
    let path = request.uri().path().to_owned();
    // The route and never the path: an address may hold a secret, and secrets stay out of the log.
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |p| p.as_str().to_owned());
    // With `Expect: 100-continue` no body has been sent yet.
    let sends = !request.headers().contains_key(header::EXPECT);
    let rest = Rest::default();
    let left = rest.clone();
    let request =
        request.map(|body| if body.is_end_stream() { body } else { paced(Kept::of(body, left), bounds.patience) });
    let declared = declared(request.headers());
    let mut response = if declared > bounds.largest {
        drop(request);
        let message = "The body is too large.";
        let in_words = (bounds.in_words)(&path, StatusCode::PAYLOAD_TOO_LARGE, message);
        in_words.unwrap_or_else(|| Fault::TooLarge(message.into()).into_response())
    } else {
        AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(route, "a handler panicked");
            let message = "Something broke here.";
            let in_words = (bounds.in_words)(&path, StatusCode::INTERNAL_SERVER_ERROR, message);
            in_words.unwrap_or_else(|| Fault::Ours("a handler panicked".into()).into_response())
        })
    };
    let left = rest.lock().ok().and_then(|mut rest| rest.take());
    if let Some(left) = left.filter(|_| sends) {
        if declared > HEARD as u64 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        // The answer goes out meanwhile.
        tokio::spawn(hear_out(left));
    }
    response
}

/// The length of the body by the request's own word; 0 where it says none.
pub fn declared(headers: &HeaderMap) -> u64 {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or_default()
}

/// The rest of a body that was answered before its end.
type Rest = Arc<Mutex<Option<BodyDataStream>>>;

/// A body that survives when its reader stops early.
struct Kept {
    body: Option<BodyDataStream>,
    rest: Rest,
}

impl Kept {
    fn of(body: Body, rest: Rest) -> Self {
        Self { body: Some(body.into_data_stream()), rest }
    }
}

impl Stream for Kept {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_next(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let (Some(body), Ok(mut rest)) = (self.body.take(), self.rest.lock()) {
            *rest = Some(body);
        }
    }
}

/// Reads on, within bounds: a connection that is closed while its other end still sends is reset, and the
/// answer is lost with it.
async fn hear_out(mut body: BodyDataStream) {
    let _ = tokio::time::timeout(HEARD_FOR, async {
        let mut heard = 0;
        while heard < HEARD
            && let Ok(Some(Ok(bytes))) = tokio::time::timeout(PAUSE, body.next()).await
        {
            heard += bytes.len();
        }
    })
    .await;
}

fn over_long(request: &Request) -> Option<(StatusCode, &'static str, &'static str)> {
    let address = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    if address > ADDRESS {
        return Some((StatusCode::URI_TOO_LONG, "Too long an address", "The address may have 8 KiB at most."));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    (headers > HEADERS).then_some((
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "Too long headers",
        "The headers may have 32 KiB in all.",
    ))
}

/// The same body, which breaks off when it dawdles.
fn paced(body: Kept, patience: Duration) -> Body {
    let start = Instant::now();
    Body::from_stream(stream::unfold(Some((body, 0)), move |body| async move {
        let (mut body, read) = body?;
        let due = start + patience + Duration::from_secs(read / BYTES_A_SECOND);
        match tokio::time::timeout_at(due, body.next()).await {
            Ok(Some(Ok(bytes))) => {
                let read = read + bytes.len() as u64;
                Some((Ok(bytes), Some((body, read))))
            }
            Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err(io::Error::from(io::ErrorKind::TimedOut)), None)),
        }
    }))
}

/// True when a body broke off because it was too slow.
pub fn is_slow(error: &(dyn Error + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |e: &&(dyn Error + 'static)| Error::source(*e));
    chain.filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::TimedOut)
}
