{{/* clientConfig of one webhook. Call with (dict "root" $ "path" "/mutate/pods").
     caBundle is left out on purpose: admission-svc puts it there at run time. */}}
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

{{/* CEL: the value of an annotation or label of the pod is one of those given.
     Call with (dict "key" "korder.dev/required" "values" "['true']"). Written without optional types, which Kubernetes
     1.28 does not know; and guarded, because an error in a condition would refuse or touch pods that do not ask. */}}
{{- define "korder.podSays" -}}
(has(object.metadata.annotations) && '{{ .key }}' in object.metadata.annotations && object.metadata.annotations['{{ .key }}'] in {{ .values }}) ||
(has(object.metadata.labels) && '{{ .key }}' in object.metadata.labels && object.metadata.labels['{{ .key }}'] in {{ .values }})
{{- end }}
