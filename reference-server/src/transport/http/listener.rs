//! Sockets: listening, reading requests, writing answers, and ending.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::connection::Gate;
use super::message::{Ask, Content, LONGEST_BODY, Reply};
use super::service::{Dialect, Options, Service};
use crate::faults::{Faults, HttpFault};
use crate::server::{Server, Settings};
use crate::transport::stdio::Ended;
use crate::transport::termination;

/// Where to listen, and until when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Addresses {
    /// For Streamable HTTP.
    pub http: Option<SocketAddr>,
    /// For HTTP+SSE.
    pub sse: Option<SocketAddr>,
    /// Also ends when stdin is closed, so that the server cannot outlive who started it.
    pub exit_with_stdin: bool,
}

/// Serves HTTP until the process is told to end. Says on stderr where it listens.
///
/// # Errors
/// When an address cannot be listened on, or a signal handler not be set up.
pub async fn serve(
    settings: Settings,
    faults: Faults,
    addresses: Addresses,
    options: Options,
) -> io::Result<Ended> {
    let terminated = termination::requested(true)?;
    let faults = Arc::new(faults);
    let server = Server::new(settings);
    let mut listening = Vec::new();
    for (address, dialect) in [(addresses.http, Dialect::Streamable), (addresses.sse, Dialect::Legacy)] {
        let Some(mut address) = address else { continue };
        let announced = address;
        if faults.http_is(HttpFault::BindsAllInterfaces) {
            address.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
        }
        let listener = TcpListener::bind(address).await?;
        let own = SocketAddr::new(announced.ip(), listener.local_addr()?.port());
        let service = Service::new(&server, Arc::new(faults.for_connection()), own, options.clone(), dialect);
        // Nothing is left to do if stderr is closed.
        let _ = writeln!(io::stderr(), "listening on http://{own}{}", dialect.endpoint());
        listening.push(tokio::spawn(accept(listener, service)));
    }
    let ended = tokio::select! {
        () = terminated => Ended::Regularly,
        () = stdin_closed(addresses.exit_with_stdin) => Ended::Regularly,
        () = faults.crashed() => Ended::Crashed,
    };
    // Connections that are still open end with the runtime, which the caller drops.
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(ended)
}

async fn accept(listener: TcpListener, service: Arc<Service>) {
    let gate = Gate::new(listener, &service.faults);
    let answer = move |request: Request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(response(service.serve(ask(request).await).await)) }
    };
    let app = Router::new().fallback(answer);
    // Never returns: errors of single connections are theirs alone.
    let _ = axum::serve(gate, app).await;
}

/// Completes when stdin ends, if that is wanted.
async fn stdin_closed(wanted: bool) {
    let (closed, waiting) = oneshot::channel::<()>();
    let started = wanted
        && std::thread::Builder::new()
            .name("stdin".into())
            .spawn(move || {
                let mut stdin = io::stdin().lock();
                let mut buffer = [0; 1024];
                while stdin.read(&mut buffer).is_ok_and(|length| length > 0) {}
                let _ = closed.send(());
            })
            .is_ok();
    if started {
        let _ = waiting.await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Reads a request, of whose body no more than the limit is ever held.
async fn ask(request: Request) -> Ask {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LONGEST_BODY).await;
    Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.ok().map(Into::into),
    }
}

fn response(reply: Reply) -> Response {
    let body = match reply.content {
        Content::Whole(bytes) => Body::from(bytes),
        Content::Events(events) => {
            Body::from_stream(futures_util::stream::unfold(events, |mut events| async move {
                let bytes = events.next().await?;
                Some((Ok::<_, Infallible>(bytes), events))
            }))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
