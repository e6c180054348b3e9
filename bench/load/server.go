package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"math"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	svidv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/svid/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
)

func csrFor(id string) ([]byte, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	var uris []*url.URL
	if id != "" {
		u, err := url.Parse(id)
		if err != nil {
			return nil, nil, err
		}
		uris = append(uris, u)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: uris}, key)
	return der, key, err
}

// attest: join-token attestation over TLS (the server's certificate is not checked: this measures, it does not trust).
func attest(ctx context.Context, addr, token string) (*tls.Certificate, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	csr, key, err := csrFor("")
	if err != nil {
		return nil, err
	}
	stream, err := agentv1.NewAgentClient(conn).AttestAgent(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&agentv1.AttestAgentRequest{Step: &agentv1.AttestAgentRequest_Params_{Params: &agentv1.AttestAgentRequest_Params{
		Data:   &types.AttestationData{Type: "join_token", Payload: []byte(token)},
		Params: &agentv1.AgentX509SVIDParams{Csr: csr}}}}); err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: answer.GetResult().Svid.CertChain, PrivateKey: key}, nil
}

// issue: attests, asks for its authorised entries, and has X.509-SVIDs signed in batches for -seconds.
func issue(args []string) error {
	fs := flag.NewFlagSet("issue", flag.ExitOnError)
	addr := fs.String("addr", "127.0.0.1:8081", "")
	token := fs.String("token", "", "join token")
	batch := fs.Int("batch", 50, "SVIDs a call")
	callers := fs.Int("callers", 2, "")
	seconds := fs.Int("seconds", 10, "")
	kind := fs.String("kind", "x509", "x509 or jwt")
	fs.Parse(args)
	ctx := context.Background()
	cert, err := attest(ctx, *addr, *token)
	if err != nil {
		return fmt.Errorf("attest: %w", err)
	}
	creds := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*cert}})
	conn, err := grpc.NewClient(*addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		return err
	}
	defer conn.Close()
	entries, err := entryv1.NewEntryClient(conn).GetAuthorizedEntries(ctx, &entryv1.GetAuthorizedEntriesRequest{OutputMask: &types.EntryMask{SpiffeId: true}})
	if err != nil {
		return err
	}
	if len(entries.Entries) == 0 {
		return fmt.Errorf("no authorised entries: create some with parent spiffe://TD/spire/agent/join_token/%s", *token)
	}
	var csrs [][]byte
	for i := 0; i < *batch; i++ {
		csr, _, err := csrFor("")
		if err != nil {
			return err
		}
		csrs = append(csrs, csr)
	}
	var wg sync.WaitGroup
	var done, failed atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	start := time.Now()
	until := start.Add(time.Duration(*seconds) * time.Second)
	for c := 0; c < *callers; c++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			client := svidv1.NewSVIDClient(conn)
			for i := 0; time.Now().Before(until); i++ {
				t := time.Now()
				if *kind == "jwt" {
					_, err := client.NewJWTSVID(ctx, &svidv1.NewJWTSVIDRequest{EntryId: entries.Entries[i%len(entries.Entries)].Id, Audience: []string{"a"}})
					if err != nil {
						if failed.Add(1) == 1 {
							fmt.Println("first failure:", err)
						}
						time.Sleep(time.Millisecond)
						continue
					}
					done.Add(1)
				} else {
					req := &svidv1.BatchNewX509SVIDRequest{}
					for j := 0; j < *batch; j++ {
						req.Params = append(req.Params, &svidv1.NewX509SVIDParams{EntryId: entries.Entries[(i+j)%len(entries.Entries)].Id, Csr: csrs[j]})
					}
					resp, err := client.BatchNewX509SVID(ctx, req)
					if err != nil {
						if failed.Add(int64(*batch)) == int64(*batch) {
							fmt.Println("first failure:", err)
						}
						time.Sleep(20 * time.Millisecond)
						continue
					}
					for _, r := range resp.Results {
						if codes.Code(r.Status.Code) == codes.OK {
							done.Add(1)
						} else {
							failed.Add(1)
						}
					}
				}
				mu.Lock()
				all = append(all, time.Since(t))
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	elapsed := time.Since(start)
	summary("issue-"+*kind, all, elapsed, map[string]any{"svids_per_s": float64(done.Load()) / elapsed.Seconds(), "failed": failed.Load(), "batch": *batch, "callers": *callers})
	return nil
}

func admin(socket string) (entryv1.EntryClient, *grpc.ClientConn, error) {
	conn, err := dialSocket(socket)
	if err != nil {
		return nil, nil, err
	}
	return entryv1.NewEntryClient(conn), conn, nil
}

func spiffeID(s string) *types.SPIFFEID {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return &types.SPIFFEID{TrustDomain: u.Host, Path: u.Path}
}

// populate: -n entries below -parent, ids -prefix/0..n-1; selectors unix:uid:(-uid0 + i), or all -selector.
func populate(args []string) error {
	fs := flag.NewFlagSet("populate", flag.ExitOnError)
	socket := fs.String("admin", "", "server's admin socket")
	parent := fs.String("parent", "", "")
	prefix := fs.String("prefix", "", "spiffe://td/x")
	n := fs.Int("n", 1, "")
	uid0 := fs.Int("uid0", 100000, "")
	selector := fs.String("selector", "", "type:value")
	fs.Parse(args)
	client, conn, err := admin(*socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	start := time.Now()
	var slices []float64 // entries a second, by tenth of the whole
	sliceStart, sliceFrom := start, 0
	for i := 0; i < *n; {
		req := &entryv1.BatchCreateEntryRequest{OutputMask: &types.EntryMask{}}
		for j := 0; j < 500 && i < *n; j, i = j+1, i+1 {
			sel := &types.Selector{Type: "unix", Value: fmt.Sprintf("uid:%d", *uid0+i)}
			if *selector != "" {
				sel = splitSelector(*selector)
			}
			req.Entries = append(req.Entries, &types.Entry{SpiffeId: spiffeID(fmt.Sprintf("%s/%d", *prefix, i)), ParentId: spiffeID(*parent), Selectors: []*types.Selector{sel}})
		}
		resp, err := client.BatchCreateEntry(context.Background(), req)
		if err != nil {
			return err
		}
		for _, r := range resp.Results {
			if r.Status.Code != 0 && codes.Code(r.Status.Code) != codes.AlreadyExists {
				return fmt.Errorf("entry: %s", r.Status.Message)
			}
		}
		if i-sliceFrom >= *n/10 {
			slices = append(slices, math.Round(float64(i-sliceFrom)/time.Since(sliceStart).Seconds()))
			sliceStart, sliceFrom = time.Now(), i
		}
	}
	elapsed := time.Since(start)
	summary("populate", nil, elapsed, map[string]any{"n": *n, "per_s": math.Round(float64(*n) / elapsed.Seconds()), "per_s_by_tenth": slices})
	return nil
}

func splitSelector(s string) *types.Selector {
	for i := range s {
		if s[i] == ':' {
			return &types.Selector{Type: s[:i], Value: s[i+1:]}
		}
	}
	return &types.Selector{Type: s}
}

// propagate: a waiting stream; each round writes one entry that matches the caller and times its arrival.
func propagate(args []string) error {
	fs := flag.NewFlagSet("propagate", flag.ExitOnError)
	adminSocket := fs.String("admin", "", "server's admin socket")
	socket := fs.String("socket", "", "Workload API socket")
	parent := fs.String("parent", "", "")
	prefix := fs.String("prefix", "", "spiffe://td/p")
	selector := fs.String("selector", "unix:uid:0", "a selector of this process")
	n := fs.Int("n", 10, "")
	gap := fs.Duration("gap", 20*time.Millisecond, "pause between rounds")
	keep := fs.Bool("keep", false, "keep the entries of earlier rounds")
	fs.Parse(args)
	client, conn, err := admin(*adminSocket)
	if err != nil {
		return err
	}
	defer conn.Close()
	wconn, err := dialSocket(*socket)
	if err != nil {
		return err
	}
	defer wconn.Close()
	seen := make(chan map[string]bool, 1000)
	go func() {
		for {
			s, err := workload.NewSpiffeWorkloadAPIClient(wconn).FetchX509SVID(withHeader(context.Background()), &workload.X509SVIDRequest{})
			for err == nil {
				var r *workload.X509SVIDResponse
				if r, err = s.Recv(); err == nil {
					ids := map[string]bool{}
					for _, v := range r.Svids {
						ids[v.SpiffeId] = true
					}
					seen <- ids
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	time.Sleep(time.Second)
	var all []time.Duration
	tag := time.Now().Unix()
	start := time.Now()
	for i := 0; i < *n; i++ {
		id := fmt.Sprintf("%s/%d-%d", *prefix, tag, i)
		t := time.Now()
		resp, err := client.BatchCreateEntry(context.Background(), &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{{SpiffeId: spiffeID(id), ParentId: spiffeID(*parent), Selectors: []*types.Selector{splitSelector(*selector)}}}})
		if err != nil {
			return err
		}
		if c := resp.Results[0].Status; c.Code != 0 {
			return fmt.Errorf("entry: %s", c.Message)
		}
		deadline := time.After(90 * time.Second)
	wait:
		for {
			select {
			case ids := <-seen:
				if ids[id] {
					all = append(all, time.Since(t))
					break wait
				}
			case <-deadline:
				return fmt.Errorf("entry %s did not arrive in 90 s", id)
			}
		}
		if !*keep {
			if _, err := client.BatchDeleteEntry(context.Background(), &entryv1.BatchDeleteEntryRequest{Ids: []string{resp.Results[0].Entry.Id}}); err != nil {
				return err
			}
		}
		time.Sleep(*gap)
	}
	summary("propagate", all, time.Since(start), nil)
	return nil
}

// agents: prints the SPIFFE ID of every attested node agent.
func agents(args []string) error {
	fs := flag.NewFlagSet("agents", flag.ExitOnError)
	socket := fs.String("admin", "", "server's admin socket")
	fs.Parse(args)
	conn, err := dialSocket(*socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	list, err := agentv1.NewAgentClient(conn).ListAgents(context.Background(), &agentv1.ListAgentsRequest{})
	if err != nil {
		return err
	}
	for _, a := range list.Agents {
		fmt.Println("spiffe://" + a.Id.TrustDomain + a.Id.Path)
	}
	return nil
}
