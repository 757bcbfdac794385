// The API's page: draws the OpenAPI document of this very server; nothing comes from elsewhere.
import { mount } from 'svelte';
import '../styles/base.css';
import Docs from './Docs.svelte';

mount(Docs, { target: document.getElementById('app')! });
