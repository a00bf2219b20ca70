//! README's calls, run in their order against a fresh set-up, with the ids and the code that the answers before have.

use serde_json::Value as Json;

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    the_first_calls_earn_a_commission,
}

/// The calls of README, each as (method, path, body).
fn calls() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let curls = text.split("\ncurl -X ").skip(1);
    curls
        .map(|curl| {
            let (method, rest) = curl.split_once(' ').expect("a method");
            let path = rest.split_once("http://127.0.0.1:8080").expect("the address").1;
            let path = path.split_whitespace().next().expect("a path");
            let body = rest.split_once("-d '").map_or("", |(_, body)| body.split_once('\'').expect("its end").0);
            (method.to_owned(), path.to_owned(), body.to_owned())
        })
        .collect()
}

async fn the_first_calls_earn_a_commission(app: TestApp) {
    let calls = calls();
    assert!(calls.len() >= 3, "{calls:?}");
    let mut code = String::new();
    let mut last: Option<Answer> = None;
    for (method, path, body) in &calls[..3] {
        let body = body
            .replace("business_…", &app.business.public_id)
            .replace("product_…", &app.business.product_id)
            .replace("K7M-4XP-D2CW", &code);
        let body: Json = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}\n{body}"));
        let answer = app.call(method, path, &app.business.api_key, Some(body)).await;
        assert!(answer.status < 300, "{answer:?}");
        if path == "/v1/referrers" {
            answer.json()["enrollments"][0]["code"].as_str().expect("a code").clone_into(&mut code);
        }
        last = Some(answer);
    }
    let paid = last.expect("a payment").json();
    assert!(paid["commissionAmount"].as_f64().is_some_and(|amount| amount > 0.0), "{paid}");
}
