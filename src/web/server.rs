//! Serves connections within bounds: their number, their idle time, the time for the head of a request and
//! the time for taking an answer. [`super::bounds`] has the bounds of a body.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Connections at one time; further ones wait to be accepted.
const MOST: usize = 4_096;
/// The pause after the system has run out of descriptors.
const SHORTAGE: Duration = Duration::from_millis(200);

/// Serves until `stop`, then until the requests in flight are answered.
pub async fn serve(listener: TcpListener, router: Router, patience: Duration, stop: CancellationToken) {
    let mut builder = Builder::new();
    // A caller that hangs up right after sending an event still meant it.
    builder.half_close(true).timer(TokioTimer::new()).header_read_timeout(patience);
    let mut services = router.into_make_service_with_connect_info::<SocketAddr>();
    let (permits, open) = (Arc::new(Semaphore::new(MOST)), TaskTracker::new());
    loop {
        let next = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, accept(&listener).await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let Ok(service) = services.call(peer).await;
        let (builder, stop) = (builder.clone(), stop.clone());
        open.spawn(async move {
            // Connections end on the caller's side: it hung up, was too slow or spoke no HTTP.
            let mut connection = pin!(builder.serve_connection(
                TokioIo::new(Prompt { stream, patience, stalled: None }),
                TowerToHyperService::new(service)
            ));
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(permit);
        });
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is one write; only a dead connection refuses this.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(SHORTAGE).await;
            }
        }
    }
}

/// A connection whose other end must take its answer in time.
struct Prompt {
    stream: TcpStream,
    patience: Duration,
    /// Since when it has taken nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Prompt {
    fn written<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Prompt {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
