{{/* Labels of every object. Call with the root context. */}}
{{- define "korder.labels" -}}
app.kubernetes.io/name: korder
app.kubernetes.io/part-of: korder
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels that select the pods of one service. Call with (dict "root" $ "svc" "order"). */}}
{{- define "korder.selector" -}}
app.kubernetes.io/name: korder
app.kubernetes.io/component: {{ .svc }}-svc
{{- end }}

{{/* Labels of every object of one service. */}}
{{- define "korder.serviceLabels" -}}
{{ include "korder.labels" .root }}
app.kubernetes.io/component: {{ .svc }}-svc
{{- end }}

{{/* The image of a program. Call with (dict "root" $ "program" "order-svc"). */}}
{{- define "korder.image" -}}
{{- with .root.Values.image -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}/{{ $.program }}:{{ .tag | default $.root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The settings of one service as YAML: `workloads` with the keys of the service's own block set over it. Not `merge`,
     which would let a 0, a false or an empty list of the service lose. Of `pdb`, each key by itself. */}}
{{- define "korder.settings" -}}
{{- $settings := deepCopy .root.Values.workloads -}}
{{- range $key, $value := index .root.Values .svc -}}
{{- if eq $key "pdb" -}}
{{- range $name, $setting := $value -}}
{{- $_ := set $settings.pdb $name $setting -}}
{{- end -}}
{{- else -}}
{{- $_ := set $settings $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* Binds the ClusterRole and the Role of one service, both named like it, to its ServiceAccount. */}}
{{- define "korder.bindings" -}}
{{- $name := printf "korder-%s-svc" .svc -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels: {{- include "korder.serviceLabels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ .root.Release.Namespace }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "korder.serviceLabels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/* Role rules that every service has in the namespace of korder. */}}
{{- define "korder.ownRules" -}}
{{- $name := printf "korder-%s-svc" .svc -}}
# Leader election. `create` cannot be limited to a name: the name is not known to the authorizer then.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ $name }}]
  verbs: [get, update]
{{- end }}

{{/* ServiceAccount and Service, and unless workloads.enabled is false Deployment and PodDisruptionBudget.
     Call with (dict "root" $ "svc" "order" "args" (list ...) "webhook" false "headless" false). */}}
{{- define "korder.service" -}}
{{- $name := printf "korder-%s-svc" .svc -}}
{{- $settings := include "korder.settings" . | fromYaml -}}
{{- $metadata := include "korder.serviceLabels" . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $metadata | nindent 4 }}
# The pods of the service ask for their token themselves; others that use the account get none.
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $metadata | nindent 4 }}
  {{- if .root.Values.metrics.annotations }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "8080"
    prometheus.io/path: /metrics
  {{- end }}
spec:
  {{- with $settings.service.clusterIP | default (ternary "None" "" (.headless | default false)) }}
  clusterIP: {{ . | quote }}
  {{- if and $.headless (eq . "None") }}
  # Clients find the leader by its health themselves. A replica that starts again must be there to be asked.
  publishNotReadyAddresses: true
  {{- end }}
  {{- end }}
  selector: {{- include "korder.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 9090, targetPort: grpc}
    - {name: metrics, port: 8080, targetPort: metrics}
    {{- if .webhook }}
    - {name: webhook, port: {{ .root.Values.webhook.port }}, targetPort: webhook}
    {{- end }}
{{- if .root.Values.workloads.enabled }}
---
{{ include "korder.deployment" . }}
{{- if and $settings.pdb.enabled (gt (int $settings.replicas) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- $metadata | nindent 4 }}
spec:
  maxUnavailable: {{ $settings.pdb.maxUnavailable }}
  # A replica that is not ready may always be evicted; it holds up no drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "korder.selector" . | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
