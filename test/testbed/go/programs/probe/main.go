// Probe is the test bed's pod: it answers HTTP with its own name, and fetches a URL, so that a pod on one node can ask a pod on
// another.
//
//	probe serve [ADDRESS]     GET / -> "NAME\n"   GET /fetch?url=URL -> what URL answers   GET /resolve?name=NAME -> its addresses
//	probe fetch URL           prints the body, exits 1 unless the answer is 2xx
//	probe resolve NAME        prints the addresses
//	probe sleep               waits until it's told to stop
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const deadline = 5 * time.Second

func fetch(url string) (int, string, error) {
	client := http.Client{Timeout: deadline}
	answer, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(body), err
}

func resolve(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	return strings.Join(addresses, "\n") + "\n", err
}

func serve(address string) error {
	name, _ := os.Hostname()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	mux.HandleFunc("GET /fetch", func(w http.ResponseWriter, r *http.Request) {
		status, body, err := fetch(r.URL.Query().Get("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
	mux.HandleFunc("GET /resolve", func(w http.ResponseWriter, r *http.Request) {
		addresses, err := resolve(r.URL.Query().Get("name"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		io.WriteString(w, addresses)
	})
	server := http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: deadline}
	go func() { waitForStop(); server.Close() }()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func waitForStop() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
}

func run(arguments []string) error {
	verb, operand := "serve", ""
	if len(arguments) > 0 {
		verb = arguments[0]
	}
	if len(arguments) > 1 {
		operand = arguments[1]
	}
	switch verb {
	case "serve":
		if operand == "" {
			operand = ":8080"
		}
		return serve(operand)
	case "fetch":
		status, body, err := fetch(operand)
		if err == nil && (status < 200 || status > 299) {
			err = fmt.Errorf("%s answered %d", operand, status)
		}
		fmt.Print(body)
		return err
	case "resolve":
		addresses, err := resolve(operand)
		if err == nil {
			fmt.Print(addresses)
		}
		return err
	case "sleep":
		waitForStop()
		return nil
	}
	return fmt.Errorf("unknown verb %q: serve, fetch, resolve or sleep", verb)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}
