//! Companies from CSV files, with the sample company of the folder `data`.

use jiff::civil::date;

use super::*;

const EMPLOYEES: &str = include_str!("../../data/oracle-hr/employees.csv");
const JOB_HISTORY: &str = include_str!("../../data/oracle-hr/job-history.csv");

fn options() -> CsvOptions {
    CsvOptions {
        account_id: 42,
        name: "Sample Company Ltd".to_owned(),
        country: "US".to_owned(),
        as_of: date(2020, 1, 1),
    }
}

fn sample() -> Company {
    Company::from_csv(EMPLOYEES.as_bytes(), options()).expect("the sample is right")
}

fn refused(text: &str) -> (&'static str, u64, Option<String>, String) {
    let error = Company::from_csv(text.as_bytes(), options()).expect_err("a defect");
    (
        error.code(),
        error.row,
        error.column.clone(),
        error.to_string(),
    )
}

const HEADER: &str = "employee_number,given_name,family_name,work_email,phone,start_date,job_title,manager_employee_number,department";

#[test]
fn the_sample_company_has_its_people_departments_and_managers() {
    let company = sample();
    assert_eq!(company.employees.len(), 107);
    let number = |id: u64| {
        let employee = company
            .employees
            .iter()
            .find(|e| e.id == id)
            .expect("exists");
        employee.employee_number.clone().expect("all have one")
    };
    let departments: Vec<(u64, &str, String, usize)> = company
        .departments
        .iter()
        .map(|d| {
            let people = company
                .employees
                .iter()
                .filter(|e| e.department == Some(d.id))
                .count();
            (
                d.id,
                d.name.as_str(),
                d.manager.map(number).expect("somebody is named"),
                people,
            )
        })
        .collect();
    let expected = [
        (1, "Executive", "100", 3),
        (2, "IT", "103", 5),
        (3, "Finance", "108", 6),
        (4, "Purchasing", "114", 6),
        (5, "Shipping", "120", 45),
        (6, "Sales", "145", 34),
        (7, "Administration", "101", 1),
        (8, "Marketing", "100", 2),
        (9, "Human Resources", "101", 1),
        (10, "Public Relations", "101", 1),
        (11, "Accounting", "101", 2),
    ];
    assert_eq!(
        departments,
        expected.map(|(id, name, manager, people)| (id, name, manager.to_owned(), people))
    );
    let without: Vec<&str> = company
        .employees
        .iter()
        .filter(|e| e.department.is_none())
        .map(|e| e.family_name.as_str())
        .collect();
    assert_eq!(without, ["Grant"]);
    assert_eq!(
        company
            .employees
            .iter()
            .filter(|e| e.manager.is_none())
            .count(),
        1
    );
    let first = &company.employees[0];
    assert_eq!(
        (first.id, first.manager, first.department),
        (1, None, Some(1))
    );
    assert_eq!(
        first.phone,
        Some(Phone {
            country: None,
            number: "1.515.555.0100".to_owned()
        })
    );
    assert_eq!(company.employees[4].manager, Some(4), "104 reports to 103");
}

#[test]
fn of_several_managers_named_equally_often_the_lowest_number_leads() {
    let text = format!(
        "{HEADER}\n100,Ada,Low,,,2020-01-01,,,\n99,Bo,Lower,,,2020-01-01,,,\n\
         3,Cy,One,,,2020-01-01,,100,Lab\n4,Di,Two,,,2020-01-01,,99,Lab\n"
    );
    let company = Company::from_csv(text.as_bytes(), options()).expect("right");
    assert_eq!(
        company.departments[0].manager,
        Some(2),
        "99 is lower than 100"
    );
}

#[test]
fn columns_may_stand_in_any_order_behind_a_byte_order_mark() {
    let text = "\u{feff}department,start_date,family_name,given_name,employee_number,work_email,phone,job_title,manager_employee_number\n\
                Lab,2020-02-03,Ås,Åse,7,ase@sample.example,,Fisher,\n";
    let company = Company::from_csv(text.as_bytes(), options()).expect("right");
    let employee = &company.employees[0];
    assert_eq!(
        (employee.given_name.as_str(), employee.family_name.as_str()),
        ("Åse", "Ås")
    );
    assert_eq!(employee.engagements[0].start_date, date(2020, 2, 3));
    assert_eq!(employee.phone, None);
}

#[test]
fn earlier_jobs_become_periods_or_ended_engagements() {
    let mut company = sample();
    company
        .add_job_history(JOB_HISTORY.as_bytes())
        .expect("the sample is right");
    let of = |number: &str| {
        company
            .employees
            .iter()
            .find(|e| e.employee_number.as_deref() == Some(number))
            .expect("exists")
    };
    let titles = |number: &str| -> Vec<(jiff::civil::Date, &str)> {
        of(number)
            .engagements
            .last()
            .expect("has one")
            .periods
            .iter()
            .map(|p| (p.from, p.job_title.as_str()))
            .collect()
    };
    assert_eq!(
        titles("102"),
        [
            (date(2011, 1, 13), "Programmer"),
            (date(2016, 7, 25), "Administration Vice President"),
        ]
    );
    assert_eq!(
        titles("176"),
        [
            (date(2016, 3, 24), "Sales Representative"),
            (date(2017, 1, 1), "Sales Manager"),
            (date(2018, 1, 1), "Sales Representative"),
        ]
    );
    let whalen = of("200");
    let spans: Vec<(jiff::civil::Date, Option<jiff::civil::Date>)> = whalen
        .engagements
        .iter()
        .map(|e| (e.start_date, e.end_date))
        .collect();
    assert_eq!(
        spans,
        [
            (date(2005, 9, 17), Some(date(2011, 6, 17))),
            (date(2012, 7, 1), Some(date(2016, 12, 31))),
            (date(2013, 9, 17), None),
        ]
    );
    let mut ids: Vec<u64> = company
        .employees
        .iter()
        .flat_map(|e| &e.engagements)
        .map(|e| e.id)
        .collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    for engagement in company.employees.iter().flat_map(|e| &e.engagements) {
        assert_eq!(engagement.periods[0].from, engagement.start_date);
        assert!(
            engagement
                .periods
                .windows(2)
                .all(|pair| pair[0].from < pair[1].from)
        );
    }
}

#[test]
fn a_job_of_nobody_leaves_the_company_as_it_was() {
    let mut company = sample();
    let text = "employee_number,start_date,end_date,job_title,department\n\
                102,2012-01-01,2012-12-31,Clerk,\n9999,2012-01-01,2012-12-31,Clerk,\n";
    let error = company
        .add_job_history(text.as_bytes())
        .expect_err("9999 is nobody");
    assert_eq!(
        (error.code(), error.row),
        ("company_csv.unknown_employee", 3)
    );
    assert_eq!(company, sample());
    let text = "employee_number,start_date,end_date,job_title,department\n102,2012-01-02,2012-01-01,Clerk,\n";
    let error = company
        .add_job_history(text.as_bytes())
        .expect_err("ends before it begins");
    assert_eq!(error.code(), "company_csv.end_before_start");
}

#[test]
fn every_defect_is_told_with_row_column_and_code() {
    let row = |cells: &str| format!("{HEADER}\n1,Ada,Low,,,2020-01-01,,,\n{cells}\n");
    for (text, code, at, column) in [
        (
            row("1,Bo,Low,,,2020-01-01,,,"),
            "company_csv.repeated_employee_number",
            3,
            Some("employee_number"),
        ),
        (
            row("2,Bo,,,,2020-01-01,,,"),
            "company_csv.empty_cell",
            3,
            Some("family_name"),
        ),
        (
            row("2,Bo,Low,,,01.02.2020,,,"),
            "company_csv.not_a_date",
            3,
            Some("start_date"),
        ),
        (
            row("2,Bo,Low,,,,,,"),
            "company_csv.empty_cell",
            3,
            Some("start_date"),
        ),
        (
            row("2,Bo,Low,,,2020-01-01,,77,"),
            "company_csv.unknown_employee",
            3,
            Some("manager_employee_number"),
        ),
        (row("2,Bo"), "company_csv.unreadable", 3, None),
        (
            HEADER.replace(",department", ""),
            "company_csv.missing_column",
            1,
            Some("department"),
        ),
        (
            HEADER.replace("phone", "shoe_size"),
            "company_csv.unknown_column",
            1,
            Some("shoe_size"),
        ),
        (
            HEADER.replace("phone", "department"),
            "company_csv.repeated_column",
            1,
            Some("department"),
        ),
    ] {
        let (found, found_row, found_column, told) = refused(&text);
        assert_eq!(
            (found, found_row, found_column.as_deref()),
            (code, at, column),
            "{told}"
        );
        assert!(told.starts_with(&format!("row {at}")), "{told}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"\n1,\xff\xfe,Low,,,2020-01-01,,,\n");
    let error = Company::from_csv(bytes.as_slice(), options()).expect_err("not UTF-8");
    assert_eq!((error.code(), error.row), ("company_csv.unreadable", 2));
}
