package sasl

// The canonical texts of the messages, for the fuzz targets of the grammar.

func (m *clientFirst) format() string { return string(m.appendBare(m.gs2.append(nil))) }

func (m *serverFirst) format() string { return string(m.append(nil)) }

func (m *clientFinal) format() string { return string(m.appendProof([]byte(m.withoutProof))) }

func (m *serverFinal) format() string { return string(m.append(nil)) }
