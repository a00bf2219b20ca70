use askama::Template;
use axum::extract::OriginalUri;
use axum::http::StatusCode;

use super::curl::{Curl, How, LONGEST, STAND_IN, without_keys};
use crate::api::dialect::Dialect;
use crate::api::operation::Operation;
use crate::api::trial::compare::{self, Finding, Own, Shape};
use crate::api::trial::{self, Asked, Trial};
use crate::keys::sign_up_curl;
use crate::keys::{KeyOwner, owner};
use crate::products;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Form, PageResult, html};

pub fn routes() -> Routes {
    let may = Access::May(Right::Integrations);
    Routes::new().get("/integrations/try", may, new).post("/integrations/try", may, attempt)
}

#[derive(Template)]
#[template(path = "try_it/show.html")]
struct TryPage {
    frame: Frame,
    form: Form,
    modes: Vec<Choice>,
    tried: Option<Tried>,
}

/// The result of a trial.
struct Tried {
    contract: &'static str,
    /// The call's title in the document; empty for an unknown one.
    title: &'static str,
    call: String,
    answer: Option<Trial>,
    /// Why there is no answer.
    failed: &'static str,
    findings: Vec<Finding>,
    /// The command for this host.
    here: String,
    /// True when the business's own ids would change it.
    other_ids: bool,
    test: bool,
}

impl Tried {
    fn tone(&self) -> &'static str {
        match self.answer.as_ref().map_or(500, |a| a.status) {
            500.. => "bad",
            400.. => "warning",
            _ => "good",
        }
    }
}

impl TryPage {
    async fn of(page: &Page, form: Form, tried: Option<Tried>) -> Result<Self, Fault> {
        let modes = [("live", "As a live key"), ("test", "As a test key")];
        let usual = if page.test { "test" } else { "live" };
        Ok(Self { frame: page.frame("integrations").await?, modes: Choice::list(modes, usual), form, tried })
    }
}

async fn own(page: &Page, test: bool) -> Result<Own, Fault> {
    let products = products::of_business(&mut page.read().await?, page.member.business_id).await?;
    Ok(Own {
        business: page.member.business_public_id.clone(),
        products: products.into_iter().map(|p| (p.public_id, p.name, p.test)).collect(),
        campaigns: page.campaigns().iter().map(|c| c.id).collect(),
        default_campaign: page.member.default_campaign_id.or(page.campaigns().first().map(|c| c.id)),
        test,
    })
}

async fn new(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let mut form = Form::default();
    if uri.query() == Some("sample") {
        let own = own(&page, page.test).await?;
        let product = own.product().map_or("", |(id, ..)| id.as_str());
        form.set("curl", sign_up_curl(&page.app.config.public_url, STAND_IN, &own.business, product));
    }
    html(&TryPage::of(&page, form, None).await?)
}

async fn attempt(page: Page, mut form: Form) -> PageResult {
    let test = match form.value("mode") {
        "" => page.test,
        mode => mode == "test",
    };
    let pasted = form.value("curl").to_owned();
    let read = if pasted.trim().is_empty() {
        Err("Paste the call, as curl would make it.".to_owned())
    } else {
        Curl::parse(&pasted)
    };
    let mut curl = match read {
        Ok(curl) => curl,
        Err(why) => {
            // Unreadable text may hold a key anywhere.
            let shown = if pasted.len() > LONGEST { String::new() } else { without_secrets(&pasted) };
            form.set("curl", shown);
            form.fail("curl", why);
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &TryPage::of(&page, form, None).await?);
        }
    };
    let own = own(&page, test).await?;
    let with_own = curl.body.as_deref().map(|body| own.put_into(body));
    if form.value("ids") == "mine" {
        curl.body = with_own.clone();
    }
    let other_ids = curl.body != with_own;
    let public_url = &page.app.config.public_url;
    form.set("curl", curl.shown_as_pasted(public_url));
    let tried = tried(&page, &curl, &own, other_ids).await?;
    html(&TryPage::of(&page, form, Some(tried)).await?)
}

async fn tried(page: &Page, curl: &Curl, own: &Own, other_ids: bool) -> Result<Tried, Fault> {
    let dialect = Dialect::of_path(&curl.path);
    let all = crate::api::apis();
    let operations = || all.iter().flat_map(|api| api.operations()).map(|o| &**o);
    let operation = compare::operation(operations(), &curl.method, &curl.path);
    let mut findings = about_host(curl, &page.app.config.public_url);
    findings.extend(about_key(page, curl, own.test, operation).await?);
    let shape = Shape {
        method: &curl.method,
        path: &curl.path,
        query: &curl.query,
        content_type: curl.content_type.as_deref(),
        kind_by_curl: curl.kind_by_curl,
        body: curl.body.as_deref(),
    };
    findings.extend(compare::compare(operation, shape, own));
    findings.extend(curl.notes.iter().map(|note| Finding::new("info", note.clone())));
    let is_token = curl.path.starts_with("/webhook");
    let (answer, failed) = if dialect.is_none() || is_token { (None, "") } else { answer(page, curl, own.test).await };
    if dialect.is_none() {
        let text = "No contract has this address: see the paths of the document. Nothing was tried.";
        findings.insert(0, Finding::new("bad", text));
    } else if is_token {
        let text = "The address of a webhook is a secret of its own and cannot be tried here.";
        findings.insert(0, Finding::new("info", text));
    }
    Ok(Tried {
        contract: dialect.map_or("No contract", compare::contract),
        title: operation.map_or("", |o| o.title),
        call: without_keys(&format!("{} {}", curl.method, curl.path)),
        answer,
        failed,
        findings,
        here: curl.shown(&page.app.config.public_url),
        other_ids,
        test: own.test,
    })
}

async fn answer(page: &Page, curl: &Curl, test: bool) -> (Option<Trial>, &'static str) {
    let mut headers: Vec<(String, String)> =
        curl.headers.iter().filter(|(name, _)| name != "origin").cloned().collect();
    headers.extend(curl.content_type.iter().map(|kind| ("content-type".to_owned(), kind.clone())));
    let asked = Asked { method: curl.method.clone(), target: curl.target(), headers, body: curl.body.clone() };
    match trial::run(&page.app, page.member.business_id, test, &asked).await {
        Ok(trial) => (Some(trial), ""),
        Err(crate::db::DbError::Unavailable(_)) => (
            None,
            "Refdesk was too busy to try the call, or it took too long. Nothing was stored; try again in a moment.",
        ),
        Err(_) => (None, "The call could not be tried: its address or a header cannot be sent. Nothing was stored."),
    }
}

/// Hosts of the programs that Refdesk replaces.
const HOSTS: [&str; 4] = ["app.refairn.com", "api.cashfin.africa", "api.referral-factory.com", "referral-factory.com"];

fn about_host(curl: &Curl, public_url: &str) -> Vec<Finding> {
    let own = public_url.split_once("://").map_or(public_url, |(_, host)| host).trim_end_matches('/');
    if curl.host == own {
        return Vec::new();
    }
    let text = if HOSTS.contains(&curl.host.as_str()) {
        format!("The call goes to {}. Here its host is {own}; the path stays.", curl.host)
    } else {
        format!("The host of Refdesk is {own}.")
    };
    vec![Finding::new("info", text)]
}

async fn about_key(page: &Page, curl: &Curl, test: bool, operation: Option<&Operation>) -> Result<Vec<Finding>, Fault> {
    let mut found = Vec::new();
    let Some(key) = &curl.key else {
        found.push(Finding::new(
            "bad",
            format!("It carries no key: it would be answered 401. Add -H 'Authorization: Bearer {STAND_IN}'."),
        ));
        return Ok(found);
    };
    match &key.how {
        How::Bearer | How::Bare | How::Basic => {}
        How::Header(name) => {
            found.push(Finding::new("bad", format!("The key is in the header {name}, which is not read: it would be answered 401. Put it into Authorization.")));
        }
        How::Query(name) => {
            found.push(Finding::new("bad", format!("The key is in the address, as {name}, where logs keep it: it is not taken from there. Put it into Authorization, and make a new key.")));
        }
        How::Scheme(scheme) => {
            found.push(Finding::new(
                "bad",
                format!("The scheme {scheme} of Authorization is not understood: use Bearer."),
            ));
        }
    }
    if key.text == STAND_IN {
        return Ok(found);
    }
    let mut conn = page.read().await?;
    let owner = owner(&mut conn, page.member.business_id, &key.text, page.app.clock.now()).await?;
    drop(conn);
    let is_public = curl.path.starts_with("/v1/public/");
    let finding = match owner {
        KeyOwner::Foreign => Finding::new(
            "info",
            "The key is not one of Refdesk's: put one of yours in its place. The call was tried as if it were.",
        ),
        KeyOwner::Nobodys => Finding::new(
            "info",
            "The key belongs to no business here: put one of yours in its place. It was tried as if it were.",
        ),
        KeyOwner::Publishable if is_public => return Ok(found),
        KeyOwner::Publishable => {
            Finding::new("bad", "A publishable key looks codes up and does nothing else: it would be answered 401.")
        }
        KeyOwner::Ours { over: true, .. } => {
            Finding::new("bad", "The key was revoked or has expired: it would be answered 401.")
        }
        KeyOwner::Ours { scopes, test: of_key, .. } => match compare::lacks(operation, &scopes) {
            Some(scope) => Finding::new(
                "bad",
                format!("The key lacks the scope {scope}: it would be answered 403. It was tried as if it had it."),
            ),
            None if of_key && !test => Finding::new("info", "The key is a test key; this was tried as live."),
            None if !of_key && test => Finding::new("info", "The key is a live key; this was tried as test."),
            None => return Ok(found),
        },
    };
    found.push(finding);
    Ok(found)
}

/// An unreadable text, with possible keys removed.
fn without_secrets(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let lower = line.to_ascii_lowercase();
        let marks = ["authorization:", "-u ", "--user ", "key", "token", "bearer", "cookie:", "secret"];
        let at = marks.iter().filter_map(|mark| lower.find(mark).map(|at| at + mark.len())).min();
        match at.filter(|at| line.is_char_boundary(*at)) {
            Some(at) => out.push(format!("{} …", &line[..at])),
            None => out
                .push(line.split(' ').map(|word| if is_long(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")),
        }
    }
    out.join("\n")
}

/// A run of letters and digits that is too long for a word is taken for a secret.
fn is_long(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .any(|run| run.len() >= 24 && run.bytes().any(|b| b.is_ascii_digit()))
        || word.contains("rk_")
        || word.contains('@')
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn what_cannot_be_read_is_shown_without_keys() {
        for text in [
            "curl 'x -H \"Authorization: Bearer s3cr3t\"",
            "curl -u s3cr3t: 'x",
            "curl 'https://x?api_key=s3cr3t",
            "curl 'rk_live_s3cr3t",
            "curl 'https://s3cr3t:x@y",
            "x\ncurl --oauth2-bearer s3cr3t '",
        ] {
            assert!(!without_secrets(text).contains("s3cr3t"), "{text}");
        }
        assert_eq!(without_secrets("curl 'https://x/v1/me\n  -v"), "curl 'https://x/v1/me\n  -v");
    }
}
