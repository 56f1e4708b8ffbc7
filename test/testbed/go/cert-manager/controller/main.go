// Command controller runs cert-manager's controllers for self-signed and CA issuers; ACME, Vault and Venafi aren't in it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/component-base/logs"

	"github.com/cert-manager/cert-manager/internal/cmd/util"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	logf "github.com/cert-manager/cert-manager/pkg/logs"

	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

func main() {
	ctx, exit := util.SetupExitHandler(context.Background(), util.GracefulShutdown)
	defer exit()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	options := controller.ContextOptions{KubernetesAPIQPS: 20, KubernetesAPIBurst: 50}
	options.CertificateRequestMinimumBackoffDuration = time.Hour
	options.CertificateRequestMaximumBackoffDuration = 32 * time.Hour
	flags := pflag.CommandLine
	logs.AddFlags(flags)
	flags.StringVar(&options.Kubeconfig, "kubeconfig", "", "path of a kubeconfig; otherwise the pod's own account")
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", "kube-system", "namespace of cluster issuers' secrets")
	flags.IntVar(&options.MaxConcurrentChallenges, "max-concurrent-challenges", 60, "not used: there's no ACME in this program")
	flags.StringVar(&options.HTTP01SolverImage, "acme-http01-solver-image", "", "not used: there's no ACME in this program")
	flags.String("leader-election-namespace", "", "not used: one replica, no election")
	health := flags.String("healthz-listen-address", "0.0.0.0:9403", "address of /livez")
	pflag.Parse()
	logs.InitLogs()
	defer logs.FlushLogs()

	group, ctx := errgroup.WithContext(logf.NewContext(ctx, logf.Log))
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	running, err := factory.Build()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *health)
	if err != nil {
		return err
	}
	group.Go(func() error { return healthz.NewServer(20*time.Second).Start(ctx, listener) })
	for name, construct := range controller.Known() {
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() error { return one.Run(5, ctx) })
	}
	// the informers begin once all controllers have asked for theirs
	running.SharedInformerFactory.Start(ctx.Done())
	running.KubeSharedInformerFactory.Start(ctx.Done())
	running.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}
