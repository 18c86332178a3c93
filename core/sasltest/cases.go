package sasltest

// The names of TestAdapter's cases, for Adapter.Cannot.
const (
	CaseTranscripts         = "transcripts"
	CaseInitialResponses    = "initial responses"
	CaseDeferred            = "deferred initial responses"
	CaseDeferredToChallenge = "deferred to a challenge"
	CaseEmptyMessages       = "empty messages"
	CaseLongMessages        = "long messages"
	CaseSuccessData         = "success data"
	CaseEarlySuccess        = "early success"
	CaseChallengeAfterDone  = "challenge after done"
	CaseRefusals            = "refusals"
	CaseAttemptAfterRefusal = "attempt after refusal"
	CaseAttemptAfterAbort   = "attempt after abort"
	CaseMalformed           = "malformed"
	CaseOverLong            = "over-long line"
	CaseCut                 = "cut"
	CaseCancel              = "cancel"
	CaseLayer               = "security layer"
)

// The names of the ways to divide the server's octets into reads, for
// Adapter.Cannot.
const (
	OctetByOctet = "octet by octet"
	AtLineEnds   = "split at line ends"
	RandomPieces = "in random pieces"
)

// rules holds the rule that each case tests: a rule from sasl.Interface's
// documentation. A failure quotes the rule.
var rules = map[string]string{
	CaseTranscripts:         "messages pass unchanged, in both directions and in their order",
	CaseInitialResponses:    "Initiate: a nil initial response means that there is no initial response, an empty initial response is an empty message, and the two differ on the wire",
	CaseDeferred:            "Initiate: a protocol that cannot carry an initial response sends the response in answer to the server's first, empty challenge; if the server announces success before the response was sent, the error is an ErrSecurity",
	CaseDeferredToChallenge: "Initiate: if the challenge that asks for a deferred initial response is not empty, the protocol sends nothing and returns an ErrProtocol",
	CaseEmptyMessages:       "an empty challenge is a challenge, and an empty response is sent",
	CaseLongMessages:        "messages of 8 KiB with octets of all values pass in both directions",
	CaseSuccessData:         "Reply: nil Data is absent, which differs from empty",
	CaseEarlySuccess:        "Reply: Done reports that the server announced success; the Client decides whether the success is proved, and otherwise closes the connection",
	CaseChallengeAfterDone:  "a challenge reaches the Client even after the mechanism is done; the Client then aborts the exchange",
	CaseRefusals:            "a refusal is a *Failure with its Condition",
	CaseAttemptAfterRefusal: "after a refusal the connection is in sync: the next attempt works",
	CaseAttemptAfterAbort:   "Abort returns nil when the server has acknowledged, also by a refusal, and the next attempt works",
	CaseMalformed:           "an unreadable frame is an error of class ErrProtocol, or of the class that the adapter's test states",
	CaseOverLong:            "the adapter reads a line without an end in limited memory, returns an ErrProtocol, and the connection is closed",
	CaseCut:                 "a connection that ends is an error of class ErrConnection",
	CaseCancel:              "a context that ends at any step, also during the greeting, ends the call and closes the connection, and no goroutine is left",
	CaseLayer:               "ServerInfo: CarriesLayer reports that the adapter can put a security layer onto the connection; without CarriesLayer a mechanism negotiates no layer, or the login fails",

	OctetByOctet: "no outcome depends on the division of the connection's octets into reads",
	AtLineEnds:   "no outcome depends on the division of the connection's octets into reads",
	RandomPieces: "no outcome depends on the division of the connection's octets into reads",
}
