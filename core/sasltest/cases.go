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
)

// The names of the ways in which what the server says is cut into reads, for
// Adapter.Cannot.
const (
	OctetByOctet = "octet by octet"
	AtLineEnds   = "split at line ends"
	RandomPieces = "in random pieces"
)

// rules is what each case is about: a rule of sasl.Interface's documentation,
// which a failure quotes.
var rules = map[string]string{
	CaseTranscripts:         "messages pass unchanged, in both directions and in their order",
	CaseInitialResponses:    "Initiate: a nil initial response is none, an empty one is empty, and the two differ on the wire",
	CaseDeferred:            "Initiate: a protocol that cannot carry an initial response sends it in answer to the first, empty challenge; success before that is an ErrSecurity",
	CaseDeferredToChallenge: "Initiate: if the challenge that asks for a deferred initial response is not empty, nothing is sent, and the error is an ErrProtocol",
	CaseEmptyMessages:       "an empty challenge is a challenge, and an empty response is sent",
	CaseLongMessages:        "messages of 8 KiB with octets of all values pass in both directions",
	CaseSuccessData:         "Reply: nil Data is absent, which is not empty",
	CaseEarlySuccess:        "Reply: Done is what the server announced; the Client decides whether that is believed, and closes the connection if not",
	CaseChallengeAfterDone:  "a challenge reaches the Client also after the mechanism is done; the exchange is then aborted",
	CaseRefusals:            "a refusal is a *Failure with its Condition",
	CaseAttemptAfterRefusal: "after a refusal the connection is in sync: the next attempt works",
	CaseAttemptAfterAbort:   "Abort returns nil if the server has acknowledged the end, also by a refusal, and the next attempt works",
	CaseMalformed:           "a frame that cannot be read is an error of class ErrProtocol, or what the adapter's test says",
	CaseOverLong:            "a line without an end is given up in bounded memory, with an ErrProtocol, and the connection is closed",
	CaseCut:                 "a connection that ends is an error of class ErrConnection",
	CaseCancel:              "a context that ends at any step, during the greeting too, ends the call, closes the connection and leaves no goroutine",

	OctetByOctet: "no outcome depends on how octets are cut into reads",
	AtLineEnds:   "no outcome depends on how octets are cut into reads",
	RandomPieces: "no outcome depends on how octets are cut into reads",
}
