use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Curl {
    Curl::parse(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

#[test]
fn the_documented_calls_of_all_three_are_read() {
    let rn = read(
        "curl -X POST https://app.refairn.com/api/events/customer-created \\\n -H \"Authorization: Bearer sk_live_x\" \\\n -H \"Content-Type: application/json\" \\\n -d '{\n \"businessId\": \"business_1\"\n}'",
    );
    assert_eq!(
        (rn.method.as_str(), rn.host.as_str(), rn.path.as_str()),
        ("POST", "app.refairn.com", "/api/events/customer-created")
    );
    assert_eq!(rn.content_type.as_deref(), Some("application/json"));
    assert_eq!(rn.body.as_deref(), Some("{\n \"businessId\": \"business_1\"\n}"));
    assert_eq!(rn.key, Some(Pasted { how: How::Bearer, text: "sk_live_x".into() }));
    let cf = read(
        "curl -X GET \"https://api.cashfin.africa/business/lead/list?page=1&limit=10&status=new\" \\\n-H \"Authorization: cs_your_client_secret\"",
    );
    assert_eq!((cf.method.as_str(), cf.target().as_str()), ("GET", "/business/lead/list?page=1&limit=10&status=new"));
    assert_eq!(cf.key.unwrap().how, How::Bare);
    let rf = read(
        "curl https://api.referral-factory.com/api/v2/users/qualification --request PUT --json '{\"qualified\":true}' --oauth2-bearer abc",
    );
    assert_eq!((rf.method.as_str(), rf.content_type.as_deref()), ("PUT", Some("application/json")));
}

#[test]
fn options_are_curls() {
    let get = read("curl -sSG x.example/v1/leads -d limit=2 --data-urlencode 'q=a b' -u KEY:");
    assert_eq!((get.method.as_str(), get.target().as_str(), get.body), ("GET", "/v1/leads?limit=2&q=a%20b", None));
    assert_eq!(get.key, Some(Pasted { how: How::Basic, text: "KEY".into() }));
    let form = read("curl -XPOST --url=unknown -d a=1 --data b=2 https://x/webhook/t/qualify");
    assert_eq!((form.body.as_deref(), form.kind_by_curl), (Some("a=1&b=2"), true));
    assert_eq!(form.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(read("curl -I https://x/").method, "HEAD");
    assert_eq!(read("curl https://x/v1/me?api_key=secret").key.unwrap().how, How::Query("api_key".into()));
    assert_eq!(read("curl $HOST/v1/me -H 'X-Api-Key: s'").key.unwrap().how, How::Header("x-api-key".into()));
    assert_eq!(
        read("$ curl http://a:b@localhost:8080/v1/me").key.unwrap(),
        Pasted { how: How::Basic, text: "a".into() }
    );
    for text in ["", "wget x", "curl", "curl -d", "curl x -d @body.json", "curl 'x", "curl x -X 'P T'"] {
        assert!(Curl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_key_is_in_nothing_that_is_shown() {
    for text in [
        "curl https://x/v1/me -H 'Authorization: Bearer s3cr3t'",
        "curl https://x/v1/me -H 'Authorization: s3cr3t'",
        "curl https://x/v1/me -H 'Authorization: Token s3cr3t'",
        "curl https://x/v1/me -u s3cr3t:s3cr3t",
        "curl https://s3cr3t:s3cr3t@x/v1/me",
        "curl 'https://x/v1/me?token=s3cr3t&key=s3cr3t'",
        "curl https://x/v1/me -H 'X-Api-Key: s3cr3t' -H 'Cookie: s3cr3t' -b s3cr3t",
        "curl https://x/v1/me -H 'Authorization: Bearer s3cr3t' -H 'X-Api-Key: s3cr3t'",
    ] {
        let curl = read(text);
        assert!(curl.key.is_some());
        assert!(!curl.shown_as_pasted("https://own").contains("s3cr3t"), "{text}");
        assert!(!format!("{curl:?}").contains("s3cr3t"), "{text}: {curl:?}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_reads_the_same(
        method in "GET|POST|PUT",
        path in "(/[a-z0-9._~-]{1,8}){1,4}",
        query in prop::collection::vec(("[a-jl-s]{1,6}", "[^\r\u{feff}]{0,8}"), 0..3),
        body in prop::option::of("[^\r\u{feff}^@][^\r\u{feff}^]{0,30}"),
        kind in prop::sample::select(vec!["application/json", "text/plain"]),
    ) {
        let curl = Curl {
            method, host: "x.example".into(), path, query: query.into_iter().filter(|(_, v)| !v.contains('\0')).collect(),
            headers: vec![("idempotency-key".into(), "a b".into())], content_type: Some(kind.into()), kind_by_curl: false, body,
            key: Some(Pasted { how: How::Bearer, text: STAND_IN.into() }), notes: Vec::new(),
        };
        prop_assert_eq!(read(&curl.shown_as_pasted("https://own.example")), curl);
    }

    #[test]
    fn nothing_panics(text in "curl ([-a-zA-Z]{1,12}|[ -~\u{e9}]{0,20}|--[a-z-]{1,14}|['\"\\\\$@:/?#]{1,6}| ){0,12}") {
        if let Ok(curl) = Curl::parse(&text) {
            let _ = Curl::parse(&curl.shown_as_pasted("https://own.example"));
        }
    }
}
