package main

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func dialSocket(path string) (*grpc.ClientConn, error) {
	return grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func withHeader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "workload.spiffe.io", "true")
}

// fetch: each of -callers callers asks -n times for the first answer of FetchX509SVID; with -fresh, on a new connection each time.
func fetch(args []string) error {
	fs := flag.NewFlagSet("fetch", flag.ExitOnError)
	socket := fs.String("socket", "", "Workload API socket")
	callers := fs.Int("callers", 1, "")
	n := fs.Int("n", 200, "calls per caller")
	fresh := fs.Bool("fresh", false, "new connection for every call")
	fs.Parse(args)
	var mu sync.Mutex
	var all []time.Duration
	var failed atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for c := 0; c < *callers; c++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var mine []time.Duration
			var conn *grpc.ClientConn
			for i := 0; i < *n; i++ {
				t := time.Now()
				if conn == nil {
					conn, _ = dialSocket(*socket)
				}
				ctx, cancel := context.WithTimeout(withHeader(context.Background()), 20*time.Second)
				s, err := workload.NewSpiffeWorkloadAPIClient(conn).FetchX509SVID(ctx, &workload.X509SVIDRequest{})
				if err == nil {
					_, err = s.Recv()
				}
				d := time.Since(t)
				cancel()
				if err != nil {
					if failed.Add(1) == 1 {
						fmt.Println("first failure:", err)
					}
				} else {
					mine = append(mine, d)
				}
				if *fresh {
					conn.Close()
					conn = nil
				}
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		}()
	}
	wg.Wait()
	summary("fetch", all, time.Since(start), map[string]any{"callers": *callers, "fresh": *fresh, "failed": failed.Load()})
	return nil
}

// jwt: FetchJWTSVID; -unique gives every call an audience of its own, so that no cache answers.
func jwt(args []string) error {
	fs := flag.NewFlagSet("jwt", flag.ExitOnError)
	socket := fs.String("socket", "", "Workload API socket")
	callers := fs.Int("callers", 8, "")
	n := fs.Int("n", 100, "calls per caller")
	unique := fs.Bool("unique", true, "")
	fs.Parse(args)
	var mu sync.Mutex
	var all []time.Duration
	var failed atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for c := 0; c < *callers; c++ {
		wg.Add(1)
		go func(c int) {
			defer wg.Done()
			conn, _ := dialSocket(*socket)
			defer conn.Close()
			var mine []time.Duration
			for i := 0; i < *n; i++ {
				aud := "same"
				if *unique {
					aud = fmt.Sprintf("aud-%d-%d-%d", start.UnixNano(), c, i)
				}
				t := time.Now()
				_, err := workload.NewSpiffeWorkloadAPIClient(conn).FetchJWTSVID(withHeader(context.Background()), &workload.JWTSVIDRequest{Audience: []string{aud}})
				if err != nil {
					if failed.Add(1) == 1 {
						fmt.Println("first failure:", err)
					}
					continue
				}
				mine = append(mine, time.Since(t))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		}(c)
	}
	wg.Wait()
	summary("jwt", all, time.Since(start), map[string]any{"callers": *callers, "unique": *unique, "failed": failed.Load()})
	return nil
}
