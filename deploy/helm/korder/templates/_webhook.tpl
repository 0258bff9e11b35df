{{/* clientConfig of one webhook. Call with (dict "root" $ "path" "/mutate/pods").
     caBundle is left out on purpose: admission-svc puts it there at run time, or cert-manager. */}}
{{- define "korder.clientConfig" -}}
{{- if .root.Values.webhook.url -}}
url: {{ printf "%s%s" .root.Values.webhook.url .path | quote }}
{{- else -}}
service:
  name: korder-admission-svc
  namespace: {{ .root.Release.Namespace }}
  port: {{ .root.Values.webhook.port }}
  path: {{ .path }}
{{- end -}}
{{- end }}

{{/* The annotation of a webhook configuration that says whose CA cert-manager puts there. */}}
{{- define "korder.injectCa" -}}
{{- if eq .Values.tls.mode "certManager" -}}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/korder-admission-svc-tls
{{- end -}}
{{- end }}

{{/* A namespaceSelector's choice of the namespaces whose pods korder looks at. */}}
{{- define "korder.podNamespaces" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{- concat (list "kube-system" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq | toYaml | nindent 6 }}
{{- end }}
