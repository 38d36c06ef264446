use super::*;
use crate::declared::compiled::take_rows;
use crate::pointer::Pointer;
use serde_json::json;

/// What comes of a body: the rows, whether there was a list, and what stands beside it.
type Came = Result<(Vec<Json>, bool, Json), &'static str>;

fn way(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Row by row, in pieces of so many bytes.
fn in_pieces(speaks: Speech, body: &[u8], names: &[&str], bytes: usize) -> (Vec<Json>, Came) {
    let wanted = Wanted {
        way: way(names),
        keeps: true,
    };
    let (mut rows, since) = (Vec::new(), Cell::new(0));
    let reader = BufReader::with_capacity(bytes, body);
    let ended = parse(reader, speaks, &wanted, &since, &mut |batch| {
        rows.extend(batch);
        true
    });
    let came = match ended {
        Ok(ended) => Ok((rows.clone(), ended.found, ended.beside)),
        Err(Unparsed::Truncated) => Err("http.truncated_body"),
        Err(Unparsed::NotJson) => Err("http.not_json"),
        Err(Unparsed::NotXml) => Err("http.not_xml"),
        Err(Unparsed::Twice) => Err("twice"),
        Err(Unparsed::TooLarge) => Err("http.body_too_large"),
        Err(Unparsed::Left) => Err("left"),
    };
    (rows, came)
}

/// As whole bodies are read.
fn whole(speaks: Speech, body: &[u8], names: &[&str]) -> Came {
    let mut tree = match speaks.read(body) {
        Ok(tree) => tree,
        Err(error) if error.code() == "http.truncated_body" => return Err("http.truncated_body"),
        Err(error) if error.code() == "http.not_json" => return Err("http.not_json"),
        Err(_) => return Err("http.not_xml"),
    };
    let path: String = names.iter().map(|name| format!("/{name}")).collect();
    let taken = take_rows(&Pointer::parse(&path).unwrap(), false, &mut tree.clone());
    match taken {
        Some(rows) => {
            *tree.pointer_mut(&path).unwrap() = json!([]);
            Ok((rows, true, tree))
        }
        None => Ok((Vec::new(), false, tree)),
    }
}

/// Bodies, each with the way to its rows, of which the last says nothing wrong.
fn bodies() -> Vec<(Speech, String, Vec<&'static str>)> {
    let list = json!([{"id": 1, "name": "Åse 🙂", "n": [1.5, -2, true, null]}, {"id": 2, "deep": {"a": [1, null]}}]);
    let of_json = [
        (list.to_string(), vec![]),
        (
            json!({"fields": [{"id": "x"}], "rows": list, "title": "T", "n": -1.5e3}).to_string(),
            vec!["rows"],
        ),
        (
            json!({"a": {"rows": [9]}, "d": {"b": "å", "rows": list, "c": [1]}}).to_string(),
            vec!["d", "rows"],
        ),
        (
            json!({"rows": {"id": 1}, "more": {"a": "b"}}).to_string(),
            vec!["rows"],
        ),
        (json!({"rows": []}).to_string(), vec!["rows"]),
        (
            json!({"rows": null, "error": {"code": 7}}).to_string(),
            vec!["rows"],
        ),
        (
            json!({"rows": "none", "error": "x"}).to_string(),
            vec!["rows"],
        ),
        (
            json!({"d": [{"rows": [1]}], "e": 2}).to_string(),
            vec!["d", "rows"],
        ),
        (
            json!({"rows": [null, 1, "x", [2], {}]}).to_string(),
            vec!["rows"],
        ),
        (json!({"error": "invalid"}).to_string(), vec!["rows"]),
        ("\n {\"rows\" : [ {} ] } ".to_owned(), vec!["rows"]),
    ];
    let of_xml = [
        (
            "<?xml version='1.0' encoding='UTF-8'?>\n<r:Data xmlns:r=\"urn:x\"><r:Entry><r:Name r:Descriptor=\"Åse &amp; co\">\
          <r:ID r:type=\"a\">1</r:ID><r:ID r:type=\"b\">2</r:ID></r:Name><r:Text>Å 🙂 &lt;b&gt; &#248;</r:Text></r:Entry>\
          <r:Entry><r:Text><![CDATA[a < b]]></r:Text><r:None/><r:Nil xsi:nil=\"true\"/></r:Entry></r:Data>",
            vec!["Data", "Entry"],
        ),
        (
            "<Data>\n  <!-- two > one -->\n  <Entry a='1'/>\n  <Total>2</Total>\n  <Entry b=\"it's\"><Entry>in</Entry></Entry>\n</Data>\n",
            vec!["Data", "Entry"],
        ),
        (
            "<a x=\"y\"><b>0</b><c>text <d><e>1</e></d> and <d><e>2</e></d></c><b>3</b></a>",
            vec!["a", "c", "d"],
        ),
        ("<Data><Entry>only</Entry></Data>", vec!["Data", "Entry"]),
        ("<Data><Entry/></Data>", vec!["Data", "Entry"]),
        (
            "<Data><Entry/><Entry>two</Entry><Entry><a/></Entry></Data>",
            vec!["Data", "Entry"],
        ),
        (
            "<Data><Entry><a>1</a></Entry></Data>",
            vec!["Data", "Entry"],
        ),
        ("<Data/>", vec!["Data", "Entry"]),
        ("<r:Data xmlns:r='urn:x'></r:Data>", vec!["Data", "Entry"]),
        (
            "<Data nil='true'><Entry><a>1</a></Entry></Data>",
            vec!["Data", "Entry"],
        ),
        (
            "<Other><Data><Entry><a>1</a></Entry></Data></Other>",
            vec!["Data", "Entry"],
        ),
        (
            "<Data><Deeper><Entry><a>1</a></Entry></Deeper>x</Data>",
            vec!["Data", "Entry"],
        ),
        (
            "<html><body><p>Sign in</p><p>or not</p></body></html>",
            vec!["Data", "Entry"],
        ),
        ("<Row><a>1</a></Row>", vec!["Row"]),
        ("<all><a>1</a></all>", vec![]),
        (
            "\u{feff}<Data><Entry><a>1</a></Entry></Data>",
            vec!["Data", "Entry"],
        ),
    ];
    let mut bodies: Vec<_> = (of_xml.into_iter())
        .map(|(body, names)| (Speech::Xml, body.to_owned(), names))
        .collect();
    for (body, names) in of_json {
        bodies.push((Speech::Xml, body.clone(), names.clone()));
        bodies.push((Speech::Json, body, names));
    }
    bodies
}

#[test]
fn row_by_row_comes_what_the_whole_holds() {
    for (speaks, body, names) in bodies() {
        let expected = whole(speaks, body.as_bytes(), &names);
        assert!(expected.is_ok(), "{body}: {expected:?}");
        for bytes in [1, 2, 3, 7, 64 * 1024] {
            let (_, came) = in_pieces(speaks, body.as_bytes(), &names, bytes);
            assert_eq!(came, expected, "{body}, {bytes} bytes at a time");
        }
    }
}

#[test]
fn a_body_that_stops_is_truncated_wherever_it_stops() {
    for (speaks, body, names) in bodies() {
        let all = body.as_bytes();
        let rows = whole(speaks, all, &names).unwrap().0;
        for end in 0..all.trim_ascii_end().len() {
            let cut = &all[..end];
            let expected = Err("http.truncated_body");
            assert_eq!(whole(speaks, cut, &names), expected, "{body} at {end}");
            for bytes in [1, 5, 64 * 1024] {
                let (before, came) = in_pieces(speaks, cut, &names, bytes);
                assert_eq!(came, expected, "{body} at {end}");
                // Whoever came is one of those of the whole.
                assert!(rows.starts_with(&before), "{body} at {end}: {before:?}");
            }
        }
    }
}

#[test]
fn what_is_no_document_is_refused_as_a_whole_one_is() {
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    for (body, code) in [
        (
            "<!DOCTYPE r [<!ENTITY e \"x\">]><Data><Entry><a>&e;</a></Entry></Data>",
            "http.not_xml",
        ),
        ("<!DOCTYPE html><html></html>", "http.not_xml"),
        ("<!DOCTYPE html [", "http.not_xml"),
        ("<Data><Entry><a>&e;</a></Entry></Data>", "http.not_xml"),
        (
            "<Data><Entry><a>&unknown</a></Entry></Data>",
            "http.not_xml",
        ),
        ("<Data><Entry></Data></Entry>", "http.not_xml"),
        ("<Data><Entry/></Data><Data/>", "http.not_xml"),
        ("<Data></Data></Data>", "http.not_xml"),
        ("<Data><Entry a=1/></Data>", "http.not_xml"),
        ("<Data><!x></Data>", "http.not_xml"),
        (&deep, "http.not_xml"),
        ("Sign in", "http.not_xml"),
        ("Sign <b>in</b>", "http.not_xml"),
        ("tru", "http.not_xml"),
        ("{\"Data\": nothing}", "http.not_json"),
        ("{]", "http.not_json"),
        ("{\"Data\": {\"Entry\": [1]}} x", "http.not_json"),
        ("", "http.truncated_body"),
        (" \n", "http.truncated_body"),
    ] {
        let names = ["Data", "Entry"];
        assert_eq!(
            whole(Speech::Xml, body.as_bytes(), &names),
            Err(code),
            "{body}"
        );
        for bytes in [1, 64 * 1024] {
            let (_, came) = in_pieces(Speech::Xml, body.as_bytes(), &names, bytes);
            assert_eq!(came, Err(code), "{body}");
        }
    }
    for body in ["<html>", "{]", r#"{"Data": [1]} x"#, "\u{feff}{}"] {
        assert_eq!(
            whole(Speech::Json, body.as_bytes(), &["Data"]),
            Err("http.not_json")
        );
        let (_, came) = in_pieces(Speech::Json, body.as_bytes(), &["Data"], 64);
        assert_eq!(came, Err("http.not_json"), "{body}");
    }
    // In another encoding than it should be.
    let latin = b"<Data><Entry><a>\xe5</a></Entry></Data>";
    let (_, came) = in_pieces(Speech::Xml, latin, &["Data", "Entry"], 64);
    assert_eq!(came, Err("http.not_xml"));
}

#[test]
fn a_way_that_stands_twice_leads_to_no_list() {
    for (body, names) in [
        (
            "<a><b><c><x>1</x></c></b><b><c><x>2</x></c></b></a>",
            ["a", "b", "c"],
        ),
        ("<a><b/><b><c><x>2</x></c></b></a>", ["a", "b", "c"]),
        ("<a><b><c><x>1</x></c></b><b/></a>", ["a", "b", "c"]),
        (
            r#"{"a": {"b": {"c": [1]}, "b": {"c": [2]}}}"#,
            ["a", "b", "c"],
        ),
        (r#"{"a": {"b": {"c": [1], "c": [2]}}}"#, ["a", "b", "c"]),
    ] {
        let (_, came) = in_pieces(Speech::Xml, body.as_bytes(), &names, 64);
        assert_eq!(came, Err("twice"), "{body}");
    }
}

#[test]
fn what_nobody_asks_for_is_not_kept() {
    let wanted = Wanted {
        way: way(&["d", "rows"]),
        keeps: false,
    };
    let most = "x".repeat(MOST_KEPT);
    for body in [
        format!("{{\"x\": \"{most}\", \"d\": {{\"rows\": [{{}}], \"y\": \"{most}\"}}}}"),
        format!("<d><x>{most}</x><rows><a/></rows><y>{most}</y></d>"),
    ] {
        let mut rows = 0;
        let ended = parse(
            body.as_bytes(),
            Speech::Xml,
            &wanted,
            &Cell::new(0),
            &mut |batch| {
                rows += batch.len();
                true
            },
        );
        let ended = ended.unwrap();
        assert!(ended.found && rows == 1);
        assert!(!ended.beside.to_string().contains("xxx"));
        // Where it is asked for, there is an end to it.
        let (_, came) = in_pieces(Speech::Xml, body.as_bytes(), &["d", "rows"], AHEAD);
        assert_eq!(came, Err("http.body_too_large"));
    }
    let spaces = format!(
        "<d>{}</d>",
        "<rows><a/></rows>\n".repeat(1_000) + &" ".repeat(2 * MOST_KEPT)
    );
    let (rows, came) = in_pieces(Speech::Xml, spaces.as_bytes(), &["d", "rows"], AHEAD);
    assert!(
        came.is_ok() && rows.len() == 1_000,
        "spaces between rows are not kept"
    );
}

#[test]
fn many_rows_come_in_batches_until_nobody_takes_them() {
    let of_json = Json::from_iter(0..1_201).to_string();
    let of_xml = format!("<d>{}</d>", "<r><a/></r>".repeat(1_201));
    for (body, names) in [(of_json, &[] as &[&str]), (of_xml, &["d", "r"])] {
        let wanted = Wanted {
            way: way(names),
            keeps: true,
        };
        let mut sizes = Vec::new();
        let since = Cell::new(0);
        let ended = parse(
            body.as_bytes(),
            Speech::Xml,
            &wanted,
            &since,
            &mut |batch| {
                sizes.push(batch.len());
                true
            },
        );
        assert!(ended.is_ok_and(|ended| ended.found));
        assert_eq!(sizes, [500, 500, 201]);
        let mut taken = 0;
        let ended = parse(body.as_bytes(), Speech::Xml, &wanted, &since, &mut |_| {
            taken += 1;
            false
        });
        assert_eq!((ended, taken), (Err(Unparsed::Left), 1));
    }
}

#[test]
fn a_row_that_does_not_end_is_no_row() {
    let piece = "x".repeat(1024 * 1024);
    for begins in ["<d><r><a>1</a></r><r>", "{\"d\": {\"r\": [{}, \""] {
        let (pieces_in, pieces) = channel(PIECES);
        let (begins, piece) = (begins.as_bytes().to_vec(), piece.clone().into_bytes());
        let vendor = std::thread::spawn(move || {
            let mut sent = 0_usize;
            let mut next = begins;
            while pieces_in.blocking_send(next).is_ok() {
                next = piece.clone();
                sent += next.len();
            }
            sent
        });
        let since = Rc::new(Cell::new(0));
        let body = Pieces {
            pieces,
            piece: Vec::new(),
            at: 0,
            since: since.clone(),
        };
        let wanted = Wanted {
            way: way(&["d", "r"]),
            keeps: true,
        };
        let mut rows = 0;
        let reader = BufReader::with_capacity(AHEAD, body);
        let ended = parse(reader, Speech::Xml, &wanted, &since, &mut |batch| {
            rows += batch.len();
            true
        });
        assert_eq!((ended, rows), (Err(Unparsed::TooLarge), 1));
        // Nothing more was waited for.
        assert!(vendor.join().unwrap() < LARGEST_ROW + 16 * 1024 * 1024);
    }
}
