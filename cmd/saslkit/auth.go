package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// run authenticates, prints the report, and ends the connection.
func (f *authFlags) run(ctx context.Context, out io.Writer, url string) error {
	report := newReport(url)
	ctx, clock, stop := startClock(ctx, time.Duration(f.timeout))
	defer stop()
	start := time.Now()
	conn, err := f.authenticate(ctx, out, clock, url, report)
	report.finish(err, time.Since(start)-clock.paused)
	switch {
	case f.json:
		report.writeJSON(out)
	case err == nil:
		report.writeText(out)
	}
	if conn != nil {
		conn.end(ctx)
	}
	return err
}

// authenticate may return a connection together with an error. The connection is
// nil if there is none.
func (f *authFlags) authenticate(ctx context.Context, out io.Writer, clock *clock, url string, report *report) (*connection, error) {
	t, err := f.target(url)
	if err != nil {
		return nil, err
	}
	client, err := f.client(ctx, t, clock, report)
	if err != nil {
		return nil, err
	}
	f.find(t, out, clock, report)
	f.observe(t, report)
	t.told = func(info sasl.ServerInfo) {
		report.server(info)
		f.traceBindings(info, report)
		if !f.json {
			report.writeServer(out)
		}
	}
	t.silent = func(address string) {
		fmt.Fprintf(os.Stderr, "saslkit: advice: %s sends nothing so far; %s; waiting until --timeout\n", address, portRemedy(t.urlScheme(), transport.PortSilent))
	}
	conn, err := schemes[t.scheme].dial(ctx, t)
	if err != nil {
		return nil, t.failed(clock.timedOut(ctx, err))
	}
	if conn.info != nil {
		t.told(*conn.info)
	}
	result, err := conn.authenticate(ctx, client)
	f.wire.end()
	report.result(result)
	for _, alert := range conn.alerts() {
		report.Alerts = append(report.Alerts, sasl.Printable(alert))
		fmt.Fprintf(os.Stderr, "saslkit: the server says: %s\n", sasl.Printable(alert))
	}
	if err != nil {
		return conn, t.failed(clock.timedOut(ctx, err))
	}
	report.Authenticated = true
	return conn, report.ask(ctx, conn)
}
