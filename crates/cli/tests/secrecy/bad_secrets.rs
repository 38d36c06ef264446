//! Secrets that are wrong, or given in the wrong way: what is said of them never
//! repeats them.

use crate::muster::{Muster, Sandbox};
use crate::places::Places;
use crate::search::Canary;

/// One way of giving a secret wrongly.
struct Wrong {
    what: &'static str,
    secret: String,
    arguments: Vec<String>,
}

/// Tries each way, keeps what is said, and gives back what must not be in it.
pub(crate) fn tried(muster: &Muster, sandbox: &Sandbox, places: &mut Places) -> Vec<Canary> {
    let mut canaries = Vec::new();
    for wrong in ways(muster, sandbox) {
        let output = muster.run_traced(&wrong.arguments);
        assert!(
            [1, 2].contains(&output.code),
            "{}: {}{}",
            wrong.what,
            output.words,
            output.data
        );
        assert!(!output.words.is_empty(), "{}", wrong.what);
        places.output(&format!("a bad secret: {}", wrong.what), &output);
        canaries.push(Canary::new(wrong.what, wrong.secret));
    }
    canaries
}

fn ways(muster: &Muster, sandbox: &Sandbox) -> Vec<Wrong> {
    let secret = |number: usize| format!("Geheim{number}-9b1f73c2e4");
    let words = |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).into()).collect() };
    let file = |name: &str, text: &str| {
        let path = muster.path(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let url = sandbox.base_url();
    let source = |consumer: &str, base_url: &str, before: &[&str]| {
        let mut arguments = words(before);
        arguments.extend(words(&[
            "--base-url",
            base_url,
            "--set",
            "test_identities=accept",
            "--secret",
            consumer,
            "--secret",
            "employee_token=Geheim0-9b1f73c2e4",
        ]));
        arguments
    };
    let connect = [
        "connect",
        "tripletex",
        "--name",
        "bad",
        "--preset",
        "provision",
    ];
    let pull = ["pull", "tripletex"];
    let mut ways = Vec::new();
    let mut way = |what: &'static str, arguments: &dyn Fn(&str) -> Vec<String>| {
        let secret = secret(ways.len());
        let arguments = arguments(&secret);
        ways.push(Wrong {
            what,
            secret,
            arguments,
        });
    };
    // The first of them is the other token of all that follow, too.
    way("tokens that the vendor refuses", &|secret| {
        source(&format!("consumer_token={secret}"), &url, &connect)
    });
    way("tokens that the vendor refuses when pulled", &|secret| {
        source(&format!("consumer_token={secret}"), &url, &pull)
    });
    way("no name before it", &|secret| {
        source(secret, &url, &connect)
    });
    way("a name that the connector does not know", &|secret| {
        source(&format!("password={secret}"), &url, &connect)
    });
    way("a blank instead of the sign", &|secret| {
        let mut arguments = source("consumer_token", &url, &pull);
        let place = arguments
            .iter()
            .position(|word| word == "consumer_token")
            .unwrap();
        arguments.insert(place + 1, secret.to_owned());
        arguments
    });
    way("a file of two lines", &|secret| {
        let path = file("two-lines", &format!("{secret}\n{secret}\n"));
        source(&format!("consumer_token=@{path}"), &url, &connect)
    });
    way("a secret taken for the name of a file", &|secret| {
        source(&format!("consumer_token=@{secret}"), &url, &pull)
    });
    way("a password in the base address", &|secret| {
        let url = url.replace("http://", &format!("http://kari:{secret}@"));
        source("consumer_token=Geheim0-9b1f73c2e4", &url, &connect)
    });
    way("a key file that holds something else", &|secret| {
        words(&["people", "--key-file", &file("no-key", secret)])
    });
    way("a backup's key file that holds something else", &|secret| {
        let path = file("no-backup-key", secret);
        words(&["restore", "/nowhere", "--backup-key", &path])
    });
    way(
        "the password of a database that does not answer",
        &|secret| {
            let url = format!("postgres://muster:{secret}@127.0.0.1:9/nothing");
            words(&["people", "--database", &url])
        },
    );
    way("the password in an address that is none", &|secret| {
        let url = format!("postgres://muster:{secret}@[::1/nothing");
        words(&["people", "--database", &url])
    });
    way("an address of another database", &|secret| {
        let url = format!("mysql://muster:{secret}@127.0.0.1/nothing");
        words(&["people", "--database", &url])
    });
    ways
}
