package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type workloadResult struct {
	IDs        []string `json:"ids"`
	Hints      []string `json:"hints"`
	Chain      int      `json:"chain"`
	Bundles    int      `json:"bundles"`
	JWTIDs     []string `json:"jwtIds"`
	Validated  string   `json:"validated"`
	NotAfter   string   `json:"notAfter"`
	JWTExpires string   `json:"jwtExpires"`
}

func dial(ctx context.Context, socket string) (*workloadapi.Client, error) {
	return workloadapi.New(ctx, workloadapi.WithAddr("unix://"+socket))
}

func workload(args []string) (any, error) {
	fs := flag.NewFlagSet("workload", flag.ExitOnError)
	socket := fs.String("socket", "", "absolute path of the Workload API socket")
	audience := fs.String("audience", "ledger", "audience of the JWT-SVIDs")
	fs.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := dial(ctx, *socket)
	if err != nil {
		return nil, err
	}
	defer client.Close()

	var out workloadResult
	x, err := client.FetchX509Context(ctx)
	if err != nil {
		return nil, fmt.Errorf("FetchX509Context: %w", err)
	}
	for _, svid := range x.SVIDs {
		if _, _, err := x509svid.Verify(svid.Certificates, x.Bundles); err != nil {
			return nil, fmt.Errorf("x509svid.Verify %s: %w", svid.ID, err)
		}
		out.IDs = append(out.IDs, svid.ID.String())
		out.Hints = append(out.Hints, svid.Hint)
	}
	out.Chain = len(x.DefaultSVID().Certificates)
	out.Bundles = x.Bundles.Len()
	out.NotAfter = x.DefaultSVID().Certificates[0].NotAfter.UTC().Format(time.RFC3339)
	if _, err := client.FetchX509Bundles(ctx); err != nil {
		return nil, fmt.Errorf("FetchX509Bundles: %w", err)
	}

	svids, err := client.FetchJWTSVIDs(ctx, jwtsvid.Params{Audience: *audience})
	if err != nil {
		return nil, fmt.Errorf("FetchJWTSVIDs: %w", err)
	}
	bundles, err := client.FetchJWTBundles(ctx)
	if err != nil {
		return nil, fmt.Errorf("FetchJWTBundles: %w", err)
	}
	for _, svid := range svids {
		if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), bundles, []string{*audience}); err != nil {
			return nil, fmt.Errorf("ParseAndValidate: %w", err)
		}
		if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), bundles, []string{"another"}); err == nil {
			return nil, fmt.Errorf("a token for %s passed for another audience", *audience)
		}
		validated, err := client.ValidateJWTSVID(ctx, svid.Marshal(), *audience)
		if err != nil {
			return nil, fmt.Errorf("ValidateJWTSVID: %w", err)
		}
		out.Validated = validated.ID.String()
		out.JWTIDs = append(out.JWTIDs, svid.ID.String())
		out.JWTExpires = svid.Expiry.UTC().Format(time.RFC3339)
	}
	return out, nil
}

type watcher struct {
	want    string
	updates int
	done    chan error
}

func (w *watcher) OnX509ContextUpdate(x *workloadapi.X509Context) {
	w.updates++
	for _, svid := range x.SVIDs {
		if svid.ID.String() == w.want {
			select {
			case w.done <- nil:
			default:
			}
		}
	}
}

func (w *watcher) OnX509ContextWatchError(error) {}

func watch(args []string) (any, error) {
	fs := flag.NewFlagSet("watch", flag.ExitOnError)
	socket := fs.String("socket", "", "absolute path of the Workload API socket")
	want := fs.String("id", "", "SPIFFE ID to wait for")
	fs.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := dial(ctx, *socket)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	w := &watcher{want: *want, done: make(chan error, 1)}
	go client.WatchX509Context(ctx, w)
	select {
	case <-w.done:
		return map[string]any{"id": *want, "updates": w.updates}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s did not appear in 30 s", *want)
	}
}

func mtls(args []string) (any, error) {
	fs := flag.NewFlagSet("mtls", flag.ExitOnError)
	socket := fs.String("socket", "", "absolute path of the Workload API socket")
	url := fs.String("url", "", "a server to call instead of one of our own")
	id := fs.String("id", "", "SPIFFE ID that the peer must have")
	fs.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(workloadapi.WithAddr("unix://"+*socket)))
	if err != nil {
		return nil, err
	}
	defer source.Close()
	peer, err := spiffeid.FromString(*id)
	if err != nil {
		return nil, err
	}
	target := *url
	if target == "" {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(peer)))
		if err != nil {
			return nil, err
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "ok")
		})}
		go server.Serve(listener)
		defer server.Close()
		target = "https://" + listener.Addr().String()
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(peer))}}
	answer, err := client.Get(target)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	return map[string]any{"status": answer.StatusCode, "body": string(body)}, nil
}
