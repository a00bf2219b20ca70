//! Addresses that no call has. A program is answered in the shape of the contract that its address is nearest to, with the
//! right address where one is near.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower::ServiceExt;

use super::call_log;
use super::dialect::Dialect;
use super::operation::Api;
use super::problem::Problem;
use crate::app::App;
use crate::web::layers::RequestId;

/// Letters by which an address may differ from the one that was meant.
const NEAR: usize = 2;

/// The addresses of all calls.
#[derive(Debug)]
pub struct Signpost {
    paths: Vec<(Dialect, &'static str)>,
}

impl Signpost {
    pub fn of(apis: &[Api]) -> Self {
        Self { paths: apis.iter().flat_map(Api::operations).map(|o| (o.dialect, o.path)).collect() }
    }

    /// The refusal of an address that is under a contract's prefix.
    pub fn refuse(&self, path: &str) -> Problem {
        let nearest = self.nearest(&tidy(path));
        Problem::not_found(match nearest {
            Some((_, right)) => format!("There is no such endpoint. The nearest is {right}."),
            None => "There is no such endpoint. /docs describes them all.".to_owned(),
        })
    }

    /// The contract in whose shape an unknown address is answered; `None` where a person asks for a page.
    fn dialect(&self, path: &str, headers: &HeaderMap) -> Option<Dialect> {
        let path = tidy(path);
        let under = Dialect::of_path(&path).or_else(|| Dialect::of_beginning(&path));
        under.or_else(|| {
            let asked = path == "/api" || path.starts_with("/api/") || is_program(headers);
            asked.then(|| self.nearest(&path).map_or(Dialect::Own, |(dialect, _)| dialect))
        })
    }

    /// The address that differs least; of equal ones, one of the contract that the address belongs to.
    fn nearest(&self, asked: &str) -> Option<(Dialect, &'static str)> {
        let of = Dialect::of_path(asked);
        let near = self.paths.iter().filter_map(|(dialect, path)| {
            let letters = distance(asked, path)?;
            Some(((letters, Some(*dialect) != of, path.matches('{').count()), (*dialect, *path)))
        });
        near.min_by_key(|(rank, _)| *rank).map(|(_, found)| found)
    }
}

/// An address without its case and its doubled or last slashes.
fn tidy(path: &str) -> String {
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    format!("/{}", parts.join("/"))
}

/// Letters between an address and a call's, part by part, or as a whole where a slash is missing.
fn distance(asked: &str, path: &str) -> Option<usize> {
    let (parts, of): (Vec<&str>, Vec<&str>) = (asked.split('/').collect(), path.split('/').collect());
    let by_parts = (parts.len() == of.len()).then(|| {
        let pairs = parts.iter().zip(&of).filter(|(_, of)| !of.starts_with('{'));
        pairs.map(|(part, of)| strsim::osa_distance(part, of)).sum::<usize>()
    });
    let whole = (!path.contains('{')).then(|| strsim::osa_distance(asked, path));
    by_parts.into_iter().chain(whole).min().filter(|letters| *letters <= NEAR)
}

/// True for a caller with a key, or one who asks for JSON and for no page.
fn is_program(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let accepts = accepts.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    if accepts.contains("text/html") {
        return false;
    }
    headers.contains_key(header::AUTHORIZATION) || accepts.contains("json")
}

/// Answers programs that ask for an address that no route has; pages answer everybody else.
#[derive(Clone)]
pub struct Strays(&'static Signpost, Router);

impl Strays {
    pub fn new(signpost: &'static Signpost, app: &App) -> Self {
        let router = Router::new()
            .fallback(stray)
            .layer(middleware::from_fn_with_state(app.clone(), call_log::record))
            .with_state(signpost);
        Self(signpost, router)
    }
}

pub async fn meet(State(Strays(signpost, router)): State<Strays>, request: Request, next: Next) -> Response {
    let is_known = request.extensions().get::<MatchedPath>().is_some();
    if is_known || signpost.dialect(request.uri().path(), request.headers()).is_none() {
        return next.run(request).await;
    }
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn stray(State(signpost): State<&'static Signpost>, request: Request) -> Response {
    let path = request.uri().path();
    let dialect = signpost.dialect(path, request.headers()).unwrap_or(Dialect::Own);
    let problem = signpost.refuse(path);
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = dialect.say(&problem, &id);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(problem);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signpost() -> Signpost {
        Signpost::of(&crate::api::apis())
    }

    #[test]
    fn an_address_that_is_nearly_right_names_the_right_one() {
        let signpost = signpost();
        for (asked, right) in [
            ("/v1/leads/", "/v1/leads"),
            ("//v1//leads", "/v1/leads"),
            ("/V1/Leads", "/v1/leads"),
            ("/v1leads", "/v1/leads"),
            ("/v1/lead", "/v1/leads"),
            ("/v1/leads/lead_1/qualify", ""),
            ("/v1/leads/lead_1/qualifications", "/v1/leads/{lead}/qualification"),
            ("/api/events/customer_created", "/api/events/customer-created"),
            ("/api/event/payment-succeeded", "/api/events/payment-succeeded"),
            ("/api/v2/user", "/api/v2/users"),
            ("/api/v3/users", "/api/v2/users"),
            ("/business/leads/create", "/business/lead/create"),
            ("/Business/Lead//List", "/business/lead/list"),
            ("/v1", ""),
            ("/", ""),
        ] {
            let nearest = signpost.nearest(&tidy(asked)).map_or("", |(_, path)| path);
            assert_eq!(nearest, right, "{asked}");
        }
    }

    #[test]
    fn programs_are_answered_by_contract_and_people_by_pages() {
        let signpost = signpost();
        let headers = |pairs: &[(header::HeaderName, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect::<HeaderMap>()
        };
        let nobody = headers(&[]);
        let browser = headers(&[(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")]);
        let keyed = headers(&[(header::AUTHORIZATION, "Bearer x"), (header::ACCEPT, "*/*")]);
        let json = headers(&[(header::ACCEPT, "application/json, text/plain, */*")]);
        for (path, by, dialect) in [
            ("/V1/leads", &browser, Some(Dialect::Own)),
            ("/v1leads", &nobody, Some(Dialect::Own)),
            ("//api//v2/users", &nobody, Some(Dialect::Rf)),
            ("/business/leads/create", &nobody, Some(Dialect::Cf)),
            ("/api/eventz/customer-created", &nobody, Some(Dialect::Rn)),
            ("/api", &nobody, Some(Dialect::Own)),
            ("/nothing", &nobody, None),
            ("/nothing", &browser, None),
            ("/nothing", &keyed, Some(Dialect::Own)),
            ("/nothing", &json, Some(Dialect::Own)),
        ] {
            assert_eq!(signpost.dialect(path, by), dialect, "{path} {by:?}");
        }
    }
}
