package stringprep_test

import (
	"testing"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// FuzzSASLprep shows that a second preparation does not change a prepared string.
func FuzzSASLprep(f *testing.F) {
	for _, seed := range []string{"I\u00ADX", "\u06271\u0628", "pen\u00A0cil", "\u0221e\u0301", "\xff", "\U0002F868"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := stringprep.Query(text)
		if err != nil {
			return
		}
		if twice, err := stringprep.Query(once); err != nil || twice != once {
			t.Fatalf("%+q, then %+q, %v", once, twice, err)
		}
	})
}
