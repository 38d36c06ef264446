//! The vendor's refusals: faults of SOAP, with status 500, whoever is to blame.

use quick_xml::escape::escape;

use crate::wire::Answer;

/// The type of the web services' answers.
pub(super) const XML: &str = "text/xml;charset=UTF-8";

/// A refusal of the web services.
#[derive(Debug)]
pub(super) struct Fault {
    code: &'static str,
    message: String,
    /// What stands in the detail, as elements.
    detail: String,
}

impl Fault {
    pub(super) fn authentication() -> Self {
        Self {
            code: "Client.authenticationError",
            message: "invalid username or password".to_owned(),
            detail: String::new(),
        }
    }

    /// What was asked for is not valid; `place` is where it stands in the request.
    pub(super) fn validation(message: impl Into<String>, place: &str) -> Self {
        let message = message.into();
        let said = escape(message.as_str()).into_owned();
        Self {
            code: "Client.validationError",
            detail: format!(
                "<wd:Validation_Fault><wd:Validation_Error><wd:Message>{said}</wd:Message>\
                 <wd:Detail_Message>{said}</wd:Detail_Message><wd:Xpath>{}</wd:Xpath>\
                 </wd:Validation_Error></wd:Validation_Fault>",
                escape(place)
            ),
            message: format!("Validation error occurred. {message}"),
        }
    }

    pub(super) fn not_authorized() -> Self {
        Self::processing("The task submitted is not authorized.")
    }

    /// Something broke at the vendor.
    pub(super) fn broken() -> Self {
        Self::processing("Internal error.")
    }

    fn processing(message: &str) -> Self {
        Self {
            code: "Server.processingError",
            message: format!("Processing error occurred. {message}"),
            detail: format!(
                "<wd:Processing_Fault><wd:Detail_Message>{}</wd:Detail_Message></wd:Processing_Fault>",
                escape(message)
            ),
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let detail = match self.detail.as_str() {
            "" => String::new(),
            detail => format!("<detail>{detail}</detail>"),
        };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <SOAP-ENV:Body><SOAP-ENV:Fault xmlns:wd=\"urn:com.workday/bsvc\">\
             <faultcode>SOAP-ENV:{}</faultcode><faultstring>{}</faultstring>{detail}\
             </SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>",
            self.code,
            escape(self.message.as_str()),
        );
        Answer::text(500, XML, body)
    }
}
