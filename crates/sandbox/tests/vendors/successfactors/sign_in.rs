//! The assertion, tokens and Basic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Reply, send};

use super::instance::{Claims, Instance, refusal};

#[tokio::test]
async fn an_assertion_is_checked_in_every_part() {
    let instance = Instance::new(20, &[]).await;
    let right = instance.claims();
    let certificate = instance.caller.credential("certificate");
    let own: String = certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = right.clone();
        change(&mut claims);
        instance.assertion(&claims)
    };
    let forged = |from: &str, to: &str| {
        let xml = STANDARD.decode(instance.assertion(&right)).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        assert!(xml.contains(from));
        STANDARD.encode(xml.replacen(from, to, 1))
    };
    let day = jiff::SignedDuration::from_hours(80);
    for (assertion, why) in [
        (
            with(&|claims| "nobody".clone_into(&mut claims.user)),
            "user",
        ),
        (
            with(&|claims| "sp.example".clone_into(&mut claims.audience)),
            "audience",
        ),
        (with(&|claims| claims.recipient.push('x')), "recipient"),
        (with(&|claims| claims.api_key.push('x')), "api key"),
        (
            with(&|claims| {
                claims.from -= day;
                claims.until -= day;
            }),
            "long ago",
        ),
        (with(&|claims| claims.until += day), "good for too long"),
        (
            with(&|claims| claims.certificate = Some(STANDARD.encode("another"))),
            "another certificate",
        ),
        (forged(&right.user, "admin"), "changed behind the signature"),
        (forged("<a:Audience>", "<a:Audience> "), "a blank more"),
        (forged("rsa-sha256", "rsa-sha1"), "another algorithm"),
        (STANDARD.encode("<a/>"), "no assertion"),
        ("%".to_owned(), "no text"),
    ] {
        let reply = instance.token_call(&assertion, &[]).await;
        assert_eq!(reply.status, 401, "{why}");
        assert_eq!(reply.json()["errorHttpCode"], "401", "{why}");
    }
    let good = instance.assertion(&right);
    for (more, status) in [
        (("company_id", "OTHER"), 401),
        (("client_id", "x"), 401),
        (("grant_type", "client_credentials"), 400),
    ] {
        let reply = instance.token_call(&good, &[more]).await;
        assert_eq!(reply.status, status, "{more:?}");
    }
    let sent_along = with(&|claims| claims.certificate = Some(own.clone()));
    for good in [good, sent_along, forged("ID=\"_1\"", "ID='_1'")] {
        assert_eq!(instance.token_call(&good, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_is_handed_out_again_until_a_new_one_is_asked_for() {
    let instance = Instance::new(20, &[]).await;
    let good = instance.assertion(&instance.claims());
    let token = |reply: &Reply| reply.json()["access_token"].as_str().unwrap().to_owned();
    let again = instance.token_call(&good, &[]).await;
    assert_eq!(token(&again), instance.token);
    let new = instance.token_call(&good, &[("new_token", "true")]).await;
    assert_ne!(token(&new), instance.token);
    assert_eq!(
        refusal(&instance.get("PerPerson").await),
        (403, "LGN0022".to_owned())
    );
    let exchanges = instance.caller.sandbox.exchanges();
    assert!(exchanges.iter().all(|exchange| {
        let kept = format!("{:?}{:?}", exchange.request_body, exchange.response_body);
        !kept.contains(&instance.token) && !kept.contains("assertion=")
    }));
}

#[tokio::test]
async fn basic_names_user_and_company() {
    let instance = Instance::new(20, &[]).await;
    let (company, password) = (
        instance.setting("company_id"),
        instance.caller.credential("password"),
    );
    let ask = async |user: &str, password: &str| {
        let request = instance.caller.request("GET", "/odata/v2/User/$count");
        send(
            request
                .basic_auth(user, Some(password))
                .header("accept", "application/json"),
        )
        .await
    };
    let right = format!("sfapi@{company}");
    assert_eq!(ask(&right, &password).await.status, 200);
    let code = |reply: &Reply| refusal(reply);
    assert_eq!(code(&ask(&right, "x").await), (401, "LGN0015".to_owned()));
    assert_eq!(
        code(&ask("sfapi", &password).await),
        (401, "LGN0015".to_owned())
    );
    assert_eq!(
        code(&ask("sfapi@OTHER", &password).await),
        (403, "LGN0008".to_owned())
    );
    let nobody = send(
        instance
            .caller
            .request("GET", "/odata/v2/User?$format=json"),
    )
    .await;
    assert_eq!(code(&nobody), (401, "LGN0003".to_owned()));
}
