// Provisioner is the test bed's storage: it makes a folder on the node for every claim of its class that a pod waits for, and a volume of the kind `local` for it.
//
//	provisioner NODE CLASS FOLDER     watches claims by asking once a second; runs as a pod with its service account
//
// It knows only what a test needs: WaitForFirstConsumer, one access mode, no deletion of folders.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

type claim struct {
	Metadata struct {
		Name, Namespace, UID string
		Annotations          map[string]string
	}
	Spec struct {
		StorageClassName string
		VolumeName       string
		AccessModes      []string
		Resources        struct{ Requests map[string]string }
	}
}

type api struct {
	server string
	client http.Client
}

func open() (*api, error) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	server := fmt.Sprintf("https://%s:%s", os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	return &api{server, http.Client{Timeout: 10 * time.Second, Transport: transport}}, nil
}

func (a *api) send(method, path string, body, answer any) (int, error) {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return 0, err
	}
	content, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequest(method, a.server+path, bytes.NewReader(content))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	if answer == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(text, answer)
}

func (a *api) provision(one claim, node, class, folder string) error {
	name := "pvc-" + one.Metadata.UID
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	volume := map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": map[string]any{"name": name, "labels": map[string]string{"provisioned-by": "testbed"}},
		"spec": map[string]any{
			"capacity": one.Spec.Resources.Requests, "accessModes": one.Spec.AccessModes, "storageClassName": class,
			"persistentVolumeReclaimPolicy": "Delete", "local": map[string]string{"path": path},
			"claimRef": map[string]string{"kind": "PersistentVolumeClaim", "apiVersion": "v1", "name": one.Metadata.Name, "namespace": one.Metadata.Namespace, "uid": one.Metadata.UID},
			"nodeAffinity": map[string]any{"required": map[string]any{"nodeSelectorTerms": []any{map[string]any{
				"matchExpressions": []any{map[string]any{"key": "kubernetes.io/hostname", "operator": "In", "values": []string{node}}}}}}},
		},
	}
	status, err := a.send("POST", "/api/v1/persistentvolumes", volume, nil)
	if status == http.StatusConflict {
		return nil
	}
	if err == nil {
		fmt.Printf("%s/%s: %s\n", one.Metadata.Namespace, one.Metadata.Name, path)
	}
	return err
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: provisioner NODE CLASS FOLDER")
		os.Exit(2)
	}
	node, class, folder := os.Args[1], os.Args[2], os.Args[3]
	cluster, err := open()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for ; ; time.Sleep(time.Second) {
		var claims struct{ Items []claim }
		if _, err := cluster.send("GET", "/api/v1/persistentvolumeclaims", nil, &claims); err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		for _, one := range claims.Items {
			// the scheduler writes the node that it chose for the first pod
			if one.Spec.StorageClassName != class || one.Spec.VolumeName != "" || one.Metadata.Annotations["volume.kubernetes.io/selected-node"] != node {
				continue
			}
			if err := cluster.provision(one, node, class, folder); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
}
