//! Style, script and icons, served from the binary. Their addresses carry a hash of the content, so a browser
//! caches them for ever and never has an old one.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::SystemTime;

use axum::Router;
use axum::http::{HeaderValue, Response, header};
use rust_embed::RustEmbed;
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, File, Metadata};
use tower_http::set_header::SetResponseHeaderLayer;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

static URLS: LazyLock<[String; 3]> = LazyLock::new(|| ["app.css", "app.js", "icon.svg"].map(address));

fn address(name: &str) -> String {
    let hash = Files::get(name).map(|f| f.metadata.sha256_hash()).unwrap_or_default();
    let short: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("/static/{name}?v={short}")
}

/// Addresses of the style sheet, the script and the icon.
pub fn urls() -> (&'static str, &'static str, &'static str) {
    (&URLS[0], &URLS[1], &URLS[2])
}

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // A file that is missing now may exist in the next version.
    let keep = |response: &Response<_>| {
        let caching = if response.status().is_success() { "public, max-age=31536000, immutable" } else { "no-store" };
        Some(HeaderValue::from_static(caching))
    };
    let serve = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, keep))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_TYPE, in_utf8))
        .service(ServeDir::with_backend("", Embedded).append_index_html_on_directories(false));
    Router::new().fallback_service(serve)
}

/// The kind of an answer, with the encoding of every text here.
fn in_utf8<B>(response: &Response<B>) -> Option<HeaderValue> {
    let kind = response.headers().get(header::CONTENT_TYPE)?;
    let text = kind.to_str().ok()?;
    let is_text = text.starts_with("text/") || text.ends_with("javascript") || text.ends_with("+xml");
    if !is_text || text.contains("charset") {
        return Some(kind.clone());
    }
    HeaderValue::from_str(&format!("{text}; charset=utf-8")).ok()
}

/// tower-http's file service on the files in the binary.
#[derive(Clone, Copy)]
struct Embedded;

pub struct EmbeddedFile(Cursor<Cow<'static, [u8]>>);

pub struct Size(u64);

impl Metadata for Size {
    fn is_dir(&self) -> bool {
        false
    }
    fn modified(&self) -> io::Result<SystemTime> {
        // The content hash in the address says when it changes.
        Err(io::ErrorKind::Unsupported.into())
    }
    fn len(&self) -> u64 {
        self.0
    }
}

fn find(path: &std::path::Path) -> io::Result<Cow<'static, [u8]>> {
    // ServeDir puts "./" before the requested path.
    let path = path.strip_prefix(".").unwrap_or(path);
    path.to_str().and_then(Files::get).map(|file| file.data).ok_or_else(|| io::ErrorKind::NotFound.into())
}

impl Backend for Embedded {
    type File = EmbeddedFile;
    type Metadata = Size;
    type OpenFuture = Ready<io::Result<EmbeddedFile>>;
    type MetadataFuture = Ready<io::Result<Size>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(find(&path).map(|data| EmbeddedFile(Cursor::new(data))))
    }
    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(find(&path).map(|data| Size(data.len() as u64)))
    }
}

impl File for EmbeddedFile {
    type Metadata = Size;
    type MetadataFuture<'a> = Ready<io::Result<Size>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(Size(self.0.get_ref().len() as u64)))
    }
}

impl tokio::io::AsyncRead for EmbeddedFile {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncSeek for EmbeddedFile {
    fn start_seek(self: std::pin::Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        std::pin::Pin::new(&mut self.get_mut().0).start_seek(position)
    }
    fn poll_complete(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<u64>> {
        std::pin::Pin::new(&mut self.get_mut().0).poll_complete(cx)
    }
}
