package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rule is one mechanical rule of CONTRIBUTING.md.
type rule struct {
	pattern *regexp.Regexp
	now     string // an example, which the pattern must find
	better  string // the example in good English, in which no pattern finds anything
}

// of compiles a pattern that ignores case.
func of(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + pattern) }

// sentence compiles a pattern for the beginning of a sentence that is not a
// question: the words, and then everything up to the end of the sentence.
func sentence(words string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[.!?:][)"”]? |\| )(?:` + words + `)\b(?:[^.!?]|[.!?]\S)*(?:[.!]|$)`)
}

// rules hold for comments, for strings outside tests, and for pages.
var rules = []rule{
	// Booleans.
	{of(`\b(tell|tells|telling|told|say|says|saying|said|returns?|returned) whether\b`),
		"secure tells whether TLS is there", "secure reports whether TLS is there"},
	// Negation.
	{of(`\bwhat (is|are|was|were) (no|none)\b`), "ErrProtocol for what is no address", "ErrProtocol for an invalid address"},
	{of(`\b(that|which|who|what) (is|are|was|were) (none|nobody)\b`), "an address that is none", "an invalid address"},
	{of(`\b(that|which|it|this) (is|are|was|were) no (\*|[a-kn-z])`), "an error that is no *Failure", "an error that is not a *Failure"},
	{of(`\bbut for\b`), "every mechanism but for PLAIN", "every mechanism except PLAIN"},
	// "where" is for places.
	{sentence(`Where|Wherever`), "Where TLS ends, so does the proof.", "If TLS ends, the proof ends too. Where is the proof?"},
	{of(`\bwhere (a|an|the|its|their|our|no|both|neither|either|any|some) (server|client|caller|peer|user|library|protocol|profile|adapter|list|mechanism|connection|certificate|side|sides|name|test|host) ([a-fh-z]|g[a-np-z])`),
		"PLAIN is used where the server lists it", "PLAIN is used if the server lists it"},
	{of(`\bwhere (there (is|are|was|were)|possible|needed|necessary|required|nothing|nobody|nothing else)\b`),
		"bound where possible", "bound if that is possible"},
	{of(`\b(only|also|even|except) where\b`), "also where the login fails", "also if the login fails"},
	// A noun that names the thing, in place of a clause.
	{sentence(`What|Who|Whom|Whoever|Whatever`), "It fails. What the server says is lost.", "The text of the server is lost. What is wrong?"},
	{of(`\bwho(m)?ever\b`), "for whoever has logged in", "for every user that has logged in"},
	{of(`\b(of|to|by|as|for|from|with|like|than|at|is|are|not) who\b`),
		"a mailbox of who has authenticated", "a mailbox of the authenticated user"},
	{of(`\b(of|by|with|from|for|in|into|on|onto|upon|over|under|than|behind|after|before|beside|besides|around|above|below|against|between|through|beyond|near) what\b`),
		"the rest of what the server sent", "the rest of the server's message"},
	{of(`\bthat which\b`), "that which the client sends", "the message of the client"},
	// The active voice, and its plain verbs.
	{of(`\b(is|are|was|were|be|been|being|gets?) told\b`), "the server is told the name", "the client sends the name"},
	{of(`\btells? (what|who|why|where|which|how|of|about)\b`), "Result tells how a client authenticated", "Result describes the authentication of a client"},
	{of(`\btell (\w+ ){1,3}apart\b|\btold apart\b`), "the two cannot be told apart", "the two look the same"},
	{of(`\bsays? (nothing |so |as much )?of\b`), "the list says nothing of the order", "the list has no order"},
	// Constructions that a dictionary does not explain.
	{of(`\b(come|comes|came|coming) to (what|this|that|the same|nothing|an? |Err|one\b)`), "the two come to the same", "the two have the same effect"},
	{of(`\b(come|comes|came|coming) to([.,;:)]|$)`), "shows what attacks come to, row by row", "shows the effect of each attack, row by row"},
	{of(`\b(become|becomes|became|come|comes|came) of (it|that|this|them|the)\b`), "whatever becomes of the token", "even if the token is not stored"},
	{of(`\b(nobody|somebody|someone|anybody|everybody|no one)( else)?'s\b`), "a bind request of somebody else's", "a bind request from another package"},
	{of(`\bof (a|an|the) (caller|peer|library|client|server|user|owner|protocol|adapter)'s([.,;:)]|$| (that|which|who|is|are|was|has|goes|comes|makes|and|or|to|in|with|for)\b)`),
		"a feature of the caller's, which it wraps", "a feature of the caller, which the value wraps"},
	{of(`\b(has|have) it that\b|\bas [\w .]+ has it\b`), "as RFC 6120 has it.", "as RFC 6120 specifies."},
	{of(`\b(nobody|somebody|anybody|everybody) (wants|wishes|cares) to know\b`), "a trace that nobody wants to know", "a trace that nobody reads"},
	{of(`'s to (say|tell|decide|choose|give|know|judge|see|read)\b`), "success is the session's to decide", "the session decides about success"},
	{of(`\b(is|are) for (a|an|the) [\w.]+ to (say|tell|decide|choose|know|judge)\b`), "which is for the caller to say", "the caller decides that"},
	{of(`\bso (it |they )?(is|are|was|were|does|do) (it |they )?for\b|\bthe more so\b`), "and so it is for LDAP", "and the same applies to LDAP"},
	{of(`\b(whereby|wherein|whereof|whereupon|thereof|therein|thereupon|hereby|herein|lest|whilst|hitherto|henceforth|heretofore|nowise|notwithstanding)\b`),
		"the tag, whereby the answer is found", "the tag, by which the client finds the answer"},
	{of(`\bgood manners\b|\b(take|takes|took) [\w' ]+ word for\b|\bwithout (a|another|further) word\b|\bas it were\b`),
		"a log-out is only good manners", "a log-out is not necessary"},
}

// question holds for the texts of errors, which are statements.
var question = rule{of(`\?(\s|$|[)"])`), "unexpected data: is it TLS?", "unexpected data; the port may need TLS"}

// TestRulesFind shows that every rule finds its bad example, and that no rule
// finds anything in a good one.
func TestRulesFind(t *testing.T) {
	for _, r := range append(rules, question) {
		if !r.pattern.MatchString(r.now) {
			t.Errorf("%v does not find %q", r.pattern, r.now)
		}
		for _, other := range append(rules, rule{pattern: r.pattern}) {
			if found := other.pattern.FindString(r.better); found != "" {
				t.Errorf("%v finds %q in %q", other.pattern, found, r.better)
			}
		}
	}
}

// TestEnglish holds the mechanical rules over every source and every page.
func TestEnglish(t *testing.T) {
	files, passages := 0, 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		list := passagesOfPage(string(text))
		if strings.HasSuffix(path, ".go") {
			list = passagesOfSource(t, path, text)
		}
		passages += len(list)
		for _, p := range list {
			p.check(t, strings.TrimPrefix(filepath.ToSlash(path), root+"/"))
		}
		return nil
	})
	if err != nil || files < 300 || passages < 3000 {
		t.Errorf("%d files, %d passages, %v", files, passages, err)
	}
}

// check reports the hits of every rule in the passage.
func (p passage) check(t *testing.T, path string) {
	t.Helper()
	hold := rules
	if p.isError {
		hold = append([]rule{question}, rules...)
	}
	for _, r := range hold {
		for _, hit := range r.pattern.FindAllStringIndex(p.text, -1) {
			found := p.text[hit[0]:hit[1]]
			t.Errorf("%s:%d: %q; write, for example, %q", path, p.lineAt(hit[0]), found, r.better)
		}
	}
}
